// The keys of the page. Single letters work where nobody writes, and can be turned off.

import { byId } from "./dom.js";
import { heldCard, letGo, step } from "./reading.js";
import { act } from "./tools.js";

const dialog = byId("keys");

function goTo(id) {
  const place = byId(id);
  place?.scrollIntoView({ block: "start" });
  place?.focus({ preventScroll: true });
}

export function setUpKeys(state, { cancel, again }) {
  const does = {
    j: () => step(1),
    k: () => step(-1),
    o: () => goTo(`q${heldCard()?.dataset.rank}`),
    c: () => act("copy"),
    f: () => byId("filters")?.elements.claimant.focus(),
    m: () => goTo("matrix"),
    e: () => byId("export")?.focus(),
    r: () => act("right"),
    w: () => act("wrong"),
    x: () => act("correct"),
    a: () => act("missing"),
    n: again,
    "?": () => dialog.showModal(),
  };
  byId("keys-button").hidden = false;
  byId("keys-button").addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (key === "Escape") {
      if (state.running) cancel();
      else letGo();
      return;
    }
    if (target.closest("input:not([type=checkbox], [type=range]), textarea, select, [contenteditable]")) return;
    if (!byId("keys-on").checked || !(key in does) || (!state.answer && key !== "?")) return;
    event.preventDefault();
    does[key]();
  });
}
