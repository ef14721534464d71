"use strict";
// Pages work without this. It makes filters act at once and says so when an answer does not come.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-at-once]");
  if (form) form.requestSubmit();
});
document.addEventListener("htmx:sendError", () => document.body.classList.add("offline"));
// What was under the keyboard's focus is gone where an item was told: what stands in its place has it and is read out.
document.addEventListener("htmx:afterSettle", (event) => {
  if (document.activeElement === document.body) event.detail.elt.closest?.(".told")?.focus();
});
document.addEventListener("htmx:afterOnLoad", () => document.body.classList.remove("offline"));
for (const button of document.querySelectorAll("button.copy")) {
  const said = button.textContent;
  const source = button.parentElement.querySelector("pre");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = said; }, 2000);
    } catch {
      // A browser gives the clipboard to safe pages only; what is selected is copied by hand.
      getSelection().selectAllChildren(source);
    }
  });
}
