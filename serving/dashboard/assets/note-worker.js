"use strict";
// Keeps the empty form of a note and what it is made of, so that it opens where there is no network. Nothing that
// anybody wrote or that is known of anybody is kept here.
const asked = new URL(self.location.href).searchParams;
const KEPT = "nba-note-" + asked.get("language") + "-" + asked.get("v");
const EMPTY = "/note/offline";

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forget().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && (pathname === "/note" || pathname === EMPTY)) {
    event.respondWith(fetch(request).catch(() => caches.match(EMPTY, { cacheName: KEPT })));
  } else if (pathname.startsWith("/assets/")) {
    event.respondWith(caches.match(request, { cacheName: KEPT }).then((found) => found || fetch(request)));
  }
});

async function keep() {
  // Without the cookie it is nobody's page.
  const headers = { "Accept-Language": asked.get("language") || "en" };
  const page = await fetch(EMPTY, { credentials: "omit", headers, cache: "no-store" });
  if (!page.ok) throw new Error("the empty form cannot be had");
  const parts = [...(await page.clone().text()).matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((each) => each[1]);
  const cache = await caches.open(KEPT);
  await cache.addAll(parts);
  await cache.put(EMPTY, page);
}

async function forget() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("nba-note-") && name !== KEPT).map((name) => caches.delete(name)));
}
