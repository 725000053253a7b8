// An enhancement: every page works without it. It asks nobody but this site for anything and keeps nothing.
"use strict";

// The time zone a reader has not chosen yet is their browser's.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const field of zone ? document.querySelectorAll("[data-zone]") : []) {
  if (field.tagName === "SELECT" && ![...field.options].some((each) => each.value === zone)) field.add(new Option(zone, zone));
  field.value = zone;
}

// To a reader who has chosen none, it is offered.
for (const field of zone ? document.querySelectorAll("[data-offer]") : []) {
  if (zone === field.value) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet offer";
  button.textContent = field.dataset.offer.replace("{zone}", () => zone);
  button.addEventListener("click", () => {
    if (![...field.options].some((each) => each.value === zone)) field.add(new Option(zone, zone));
    field.value = zone;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
    button.remove();
  });
  field.after(button);
}

// Whoever leaves with unsaved changes is asked first.
for (const form of document.querySelectorAll("form[data-unsaved]")) {
  let changed = form.dataset.unsaved === "yes";
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (leaving) => { if (changed) leaving.preventDefault(); });
}

// One tap: the answer takes the place of what was asked, without another page. Where that fails, the form is sent as usual.
addEventListener("submit", async (submitted) => {
  const form = submitted.target, button = submitted.submitter;
  if (!form.matches("form[data-here]")) return;
  submitted.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  const action = button && button.hasAttribute("formaction") ? button.formAction : form.action;
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const status = document.createElement("div");
    status.setAttribute("role", "status");
    status.tabIndex = -1;
    status.append(document.adoptNode(page.querySelector(answer.ok ? "[data-answer]" : "main > *")));
    (form.closest("[role=status]") || form.closest("[data-answer]") || form).replaceWith(status);
    status.focus();
  } catch {
    form.action = action;
    form.submit();
  }
});
