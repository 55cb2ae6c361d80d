// What can be done with an analysis and with the claim that is held.

import { asJson, call } from "./service.js";
import { byId, copy, element, linkTo, save, say } from "./dom.js";
import { heldCard, whenHeld } from "./reading.js";
import { compareTools } from "./compare.js";
import * as marks from "./marks.js";

const FORMS = [
  ["JSON", "application/json", "json"],
  ["A page to keep", "text/html", "html"],
  ["Markdown", "text/markdown", "md"],
  ["A table (CSV)", "text/csv", "csv"],
  ["JSON lines", "application/jsonl", "jsonl"],
  ["Web annotations", "application/ld+json", "jsonld"],
];
let current = null;
let page = null;
let acts = null;

export function setUpTools(state, does) {
  current = state;
  page = does;
  const { answer } = state;
  const choice = element("select", { id: "export" }, ...FORMS.map(([words], index) => element("option", { value: index }, words)));
  const tools = byId("tools");
  tools.replaceChildren(
    element("label", { for: "export" }, "Export as "), choice,
    element("button", { type: "button", id: "export-go", click: guarded(() => exported(FORMS[choice.value])) }, "Save"),
    element("button", { type: "button", click: () => print() }, "Print"),
    ...(answer.analysis_url ? [
      element("button", { type: "button", id: "link", click: guarded(copyLink) }, "Copy the link"),
      element("button", { type: "button", id: "delete", click: guarded(remove) }, "Delete it"),
    ] : []),
    ...compareTools(state, does),
    ...marks.tools(state),
  );
  tools.hidden = false;
  acts = element("div", { class: "acts" },
    button("copy", "Copy"), button("right", "Right"), button("wrong", "Wrong"), button("correct", "Correct…"));
  whenHeld((card) => {
    acts.remove();
    if (!card) return;
    card.append(acts);
    card.querySelector("details").open = true;
    marks.pressed(card, acts);
  });
  marks.shown(state);
}

function button(name, words) {
  return element("button", { type: "button", "data-act": name, click: () => act(name) }, words);
}

const guarded = (work) => async (...given) => {
  try {
    await work(...given);
  } catch (error) {
    page.fail(error);
  }
};

// Does what the button or the key of that name says, to the claim that is held.
export const act = (name) => guarded(async () => {
  if (name === "missing") return marks.missing(current);
  const card = heldCard();
  if (!card) return say("Choose a claim first: j and k go through them.");
  if (name === "copy") {
    await copy(cited(current.answer, card.dataset.claim));
    return say("Copied with its citation.");
  }
  marks.mark(current, card, name);
  return marks.pressed(card, acts);
})();

// A claim for somebody else's text: its quote, whose it is, and where exactly it stands.
export function cited({ id, article, provenance, claims }, claimId) {
  const claim = claims.find((one) => one.id === claimId);
  const who = claim.claimant ? claim.claimant.name : claim.mode === "own_voice" ? "the article itself" : "not named";
  const where = [article.title, article.author, article.fetched?.url || article.url].filter(Boolean).join(", ") || "untitled article";
  return `“${claim.quote.text}”\n— ${who}, in: ${where}\n`
    + `Claim: ${claim.text} (${claim.kind}, check-worthiness ${claim.check_worthiness.toFixed(2)}; not checked for truth)\n`
    + `Characters ${claim.quote.start}–${claim.quote.end} of the text with SHA-256 ${article.sha256}; analysis ${id}, ${provenance.prompt}\n`;
}

async function exported([words, type, extension]) {
  const { answer } = current;
  const response = await call("/room/export", asJson(answer, { Accept: type }));
  save(`claims-${answer.id}.${extension}`, type, await response.blob());
  say(`Saved: ${words}.`);
}

async function copyLink() {
  await copy(new URL(`/${linkTo(current.answer)}`, location.href).href);
  say("The link is copied.");
}

async function remove() {
  if (!confirm("Delete this analysis? Its link will lead nowhere.")) return;
  await call(current.answer.analysis_url, { method: "DELETE" });
  delete current.answer.analysis_url;
  byId("link").remove();
  byId("delete").remove();
  history.replaceState(null, "", location.pathname);
  say("Deleted. What this tab shows is the last copy.");
}


