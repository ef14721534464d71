"use strict";
// Notes that could not be sent wait on the phone, each under an id of its own, so that it is stored once however often
// it is sent. Without this the form works as any other, where there is a network.
(() => {
  const form = document.getElementById("note");
  const place = document.getElementById("waiting");
  if (!form || !place) return;
  const QUEUE = "nba_notes", WHO = "nba_notes_who", AGAIN = 20000;
  const words = place.dataset;
  let memory = null; // where the browser keeps nothing
  let sending = false, state = "";

  const read = () => {
    if (memory) return memory;
    try { return JSON.parse(localStorage.getItem(QUEUE) || "[]"); } catch { return []; }
  };
  const keep = (notes) => {
    try { localStorage.setItem(QUEUE, JSON.stringify(notes)); memory = null; } catch { memory = notes; state = "full"; }
  };
  const change = (id, what) => keep(read().map((note) => (note.fields.note_id === id ? { ...note, ...what } : note)));
  const drop = (id) => keep(read().filter((note) => note.fields.note_id !== id));
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  const who = () => form.dataset.who || recall(WHO) || "";
  const recall = (name) => { try { return localStorage.getItem(name); } catch { return null; } };

  if (form.dataset.who) { try { localStorage.setItem(WHO, form.dataset.who); } catch { /* nothing is kept here */ } }
  if ("serviceWorker" in navigator && form.dataset.worker) {
    navigator.serviceWorker.register(form.dataset.worker, { scope: "/note" }).catch(() => {});
  }

  function show() {
    const notes = read();
    place.hidden = !notes.length;
    place.replaceChildren();
    if (!notes.length) return;
    const waiting = notes.filter((note) => !note.refused);
    const say = (text) => { const p = document.createElement("p"); p.textContent = text; place.append(p); return p; };
    if (waiting.length) say(waiting.length === 1 ? words.one : words.some.replace("{n}", waiting.length));
    if (waiting.length && state === "signed-out") {
      const link = document.createElement("a");
      link.href = "/sign-in?next=%2Fnote";
      link.textContent = words.signInLink;
      say(words.signIn + " ").append(link);
    }
    if (state === "full") say(words.full);
    if (waiting.length && state === "somebody-else") say(words.whose.replaceAll("{who}", waiting[0].who));
    for (const note of notes.filter((each) => each.refused)) {
      const p = say(`${words.refused} ${note.fields.name || note.fields.contact || ""} – ${note.refused.join(" ")} `);
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = words.forget;
      button.addEventListener("click", () => { drop(note.fields.note_id); show(); });
      p.append(button);
    }
  }

  // Returns where to go on after the note with this id, once it is stored.
  async function send(wanted) {
    if (sending || !read().some((note) => !note.refused)) return null;
    sending = true;
    let goOn = null;
    try {
      const asked = await fetch("/note/ready", { redirect: "manual", headers: { Accept: "application/json" } });
      if (asked.type === "opaqueredirect" || asked.status === 401 || asked.status === 403) { state = "signed-out"; return null; }
      if (!asked.ok) return null;
      const { who: name, seal } = await asked.json();
      state = "";
      for (const note of read().filter((each) => !each.refused)) {
        if (note.who && note.who !== name) { state = "somebody-else"; continue; }
        const body = new URLSearchParams({ ...note.fields, seal, sent_at: new Date().toISOString() });
        const answer = await fetch("/note", { method: "POST", body, redirect: "manual", headers: { "nba-note": "queued" } });
        if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) { state = "signed-out"; break; }
        if (answer.ok) {
          const told = await answer.json();
          drop(note.fields.note_id);
          if (note.fields.note_id === wanted) goOn = told.next;
        } else if (answer.status === 422) {
          change(note.fields.note_id, { refused: (await answer.json()).refused });
        } else {
          break; // the service cannot store anything at the moment; it is tried again
        }
      }
    } catch {
      // There is no network: it is tried again.
    } finally {
      sending = false;
      show();
    }
    return goOn;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries([...new FormData(form)].filter(([name]) => name !== "seal"));
    fields.note_id = fields.note_id || newId();
    fields.noted_at = new Date().toISOString();
    keep([...read(), { who: who(), fields }]);
    // Whatever is written next is another note, also where this page stays.
    form.elements.note_id.value = newId();
    show();
    // What is being sent now does not know of this note yet.
    for (let i = 0; sending && i < 30; i++) await new Promise((done) => setTimeout(done, 100));
    const goOn = await send(fields.note_id);
    const left = read().find((note) => note.fields.note_id === fields.note_id);
    if (goOn) location.assign(goOn);
    else if (left && left.refused) drop(fields.note_id), form.elements.note_id.value = fields.note_id, faulty(left.refused);
    else { form.reset(); form.elements.note_id.value = newId(); place.scrollIntoView({ block: "center" }); }
  });

  function faulty(sentences) {
    show();
    place.hidden = false;
    const p = document.createElement("p");
    p.textContent = `${words.refused} ${sentences.join(" ")}`;
    place.append(p);
    place.scrollIntoView({ block: "center" });
  }

  addEventListener("online", () => send());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  setInterval(() => { if (!document.hidden) send(); }, AGAIN);
  show();
  send();
})();
