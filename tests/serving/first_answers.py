"""Says what the first answers of a fresh process bring in: run by ``test_first_answers``, in a folder with nba.toml."""

import asyncio
import gc
import json
import sys
from pathlib import Path

import httpx
from numba.core.dispatcher import Dispatcher

from models.bundle import Bundle
from models.local import install
from nba.settings import load_settings
from serving.app import create_app


def compiled() -> set[tuple[str, str]]:
    """Every compiled function with the types that it is ready for."""
    ready = (each for each in gc.get_objects() if isinstance(each, Dispatcher))
    return {(each.py_func.__qualname__, str(types)) for each in ready for types in each.overloads}


async def asked(client: httpx.AsyncClient) -> dict[str, object]:
    """Ask for a contact's next best action with everything there is to say of it."""
    modules, functions = set(sys.modules), compiled()
    answer = (await client.post("/v1/recommend", json={"contact": "crm:1", "explain": True})).json()
    return {
        "degraded": answer["degraded"],
        "version": answer["model_version"],
        "drivers": len(answer["drivers"]),
        "modules": sorted(set(sys.modules) - modules),
        "compiled": sorted(compiled() - functions),
    }


async def main(folder: Path) -> None:
    """Ask at the start, and again when another bundle has been swapped in."""
    app = create_app(load_settings(folder / "nba.toml", {}))
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
            at_start = await asked(client)
            path = folder / "second"
            install(folder, path, "2", Bundle.load(path).sha256)
            await app.state.service.bundles.look()
            json.dump([at_start, await asked(client)], sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
