// An editor's marks on claims: right, wrong, corrected, missing. They live in this page and leave it as a file when asked.

import { byId, element, save, say } from "./dom.js";

const KINDS = ["event", "quantity", "causal", "rule", "prediction", "other"];
const STANCES = ["supports", "refutes", "discusses"];
let marks = new Map(); // of claims by their ids: { mark, corrected }
let missed = [];
let current = null;

const storeName = () => `factcheck-marks ${current.answer.article.sha256} ${current.answer.id}`;
const kept = () => byId("marks-keep")?.checked;

export function tools(state) {
  current = state;
  return [
    element("span", { id: "marks", class: "marks", hidden: true },
      element("button", { type: "button", id: "marks-save", click: () => saved() }),
      element("label", { for: "marks-complete" }, element("input", { type: "checkbox", id: "marks-complete" }), " every claim is marked, none is missing"),
      element("label", { for: "marks-keep" }, element("input", { type: "checkbox", id: "marks-keep", change: keep }), " keep marks in this browser")),
  ];
}

export function shown(state) {
  current = state;
  marks = new Map();
  missed = [];
  let stored = null;
  try {
    stored = localStorage.getItem(storeName());
  } catch {
    // Where nothing may be kept, nothing was.
  }
  if (stored) {
    const told = JSON.parse(stored);
    marks = new Map(told.marks);
    missed = told.missed;
    byId("marks-keep").checked = true;
  }
  drawAll();
}

function keep() {
  if (kept()) localStorage.setItem(storeName(), JSON.stringify({ marks: [...marks], missed }));
  else localStorage.removeItem(storeName());
}

const claimOf = (card) => current.answer.claims.find(({ id }) => id === card.dataset.claim);
const articleOf = (claim) => claim.stances.find(({ holder }) => holder === "article")?.stance || "";

// Marks the claim of `card`, or opens what corrects it; the same mark again takes it away.
export function mark(state, card, name) {
  const claim = claimOf(card);
  const known = marks.get(claim.id);
  if (name === "correct") {
    const open = card.querySelector(".mend");
    if (open) open.remove();
    else {
      card.append(mending(card, claim));
      card.querySelector(".mend input").focus();
    }
    return;
  }
  if (known?.mark === name) marks.delete(claim.id);
  else marks.set(claim.id, { mark: name });
  changed(card);
}

export function pressed(card, acts) {
  const name = marks.get(card.dataset.claim)?.mark;
  for (const button of acts.querySelectorAll("[data-act=right], [data-act=wrong]")) {
    button.setAttribute("aria-pressed", String(button.dataset.act === name));
  }
}

function mending(card, claim) {
  const corrected = marks.get(claim.id)?.corrected || {};
  const who = element("input", { dir: "auto", placeholder: "the article itself", maxlength: "300" });
  who.value = "claimant" in corrected ? corrected.claimant || "" : claim.claimant?.name || "";
  const stance = choice(STANCES, corrected.article || articleOf(claim));
  const apply = () => {
    const told = {};
    const name = who.value.trim() || null;
    if (name !== (claim.claimant?.name || null)) told.claimant = name;
    if (stance.value && stance.value !== articleOf(claim)) told.article = stance.value;
    marks.set(claim.id, Object.keys(told).length ? { mark: "right", corrected: told } : { mark: "right" });
    changed(card);
  };
  return element("div", { class: "mend", change: apply },
    element("label", {}, "Who says it", who), element("label", {}, "The article", stance));
}

function choice(values, chosen) {
  const offered = values.includes(chosen) ? values : ["", ...values];
  const select = element("select", {}, ...offered.map((value) => element("option", { value }, value || "not known")));
  select.value = chosen;
  return select;
}

function changed(card) {
  draw(card);
  const acts = card.querySelector(".acts");
  if (acts) pressed(card, acts);
  count();
  if (kept()) keep();
}

function draw(card) {
  card.querySelector(".verdict")?.remove();
  const told = marks.get(card.dataset.claim);
  if (!told) return;
  const words = told.corrected ? "right, corrected" : told.mark;
  card.querySelector(".meta").append(element("span", { class: `verdict ${told.mark}` }, words));
}

function count() {
  const all = marks.size + missed.length;
  byId("marks").hidden = !all && !kept();
  byId("marks-save").textContent = `Save ${all} ${all === 1 ? "mark" : "marks"}`;
}

function drawAll() {
  for (const card of document.querySelectorAll("#claims .card")) draw(card);
  drawMissed();
  count();
}

// The words selected in the article, as a claim that the answer does not have.
export function missing(state) {
  const text = byId("article-text");
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed || !text.contains(selection.getRangeAt(0).commonAncestorContainer)) {
    say("Select the words of the missing claim in the article first.");
    return;
  }
  const chosen = selection.getRangeAt(0);
  const before = document.createRange();
  before.setStart(text, 0);
  before.setEnd(chosen.startContainer, chosen.startOffset);
  // Space at the edges is seldom meant. What is counted is the text itself: the ranges hold nothing else.
  const words = chosen.toString();
  const lead = words.length - words.trimStart().length;
  const quote = words.trim();
  if (!quote) return;
  const start = [...(before.toString() + words.slice(0, lead))].length;
  missed.push({
    quote: { text: quote, start, end: start + [...quote].length },
    text: quote, claimant: null, article: "supports", kind: "other",
  });
  selection.removeAllRanges();
  drawMissed();
  count();
  if (kept()) keep();
  byId("missed").lastElementChild.querySelector("input").focus();
}

function drawMissed() {
  byId("missed")?.remove();
  if (!missed.length) return;
  const list = element("ol", { class: "missing", id: "missed", "aria-label": "Claims that are missing" }, ...missed.map(missedItem));
  byId("claims").append(list);
}

function missedItem(told, index) {
  const field = (name, control) => {
    control.addEventListener("change", () => {
      told[name] = control.value.trim() || (name === "text" ? told.quote.text : null);
      if (kept()) keep();
    });
    return control;
  };
  const text = field("text", element("input", { dir: "auto", maxlength: "5000" }));
  text.value = told.text;
  const who = field("claimant", element("input", { dir: "auto", maxlength: "300", placeholder: "the article itself" }));
  who.value = told.claimant || "";
  const remove = () => {
    missed.splice(index, 1);
    drawMissed();
    count();
    if (kept()) keep();
  };
  return element("li", {}, element("b", {}, "Missing: "), element("q", { dir: "auto" }, told.quote.text),
    element("div", { class: "mend" },
      element("label", {}, "The claim", text), element("label", {}, "Who says it", who),
      element("label", {}, "The article", field("article", choice(STANCES, told.article))),
      element("label", {}, "Kind", field("kind", choice(KINDS, told.kind)))),
    element("div", { class: "acts" }, element("button", { type: "button", click: remove }, "Not missing after all")));
}

// The marks as the file that evals read.
function marksFile() {
  const { answer } = current;
  const { article, provenance, id } = answer;
  const claims = new Map(answer.claims.map((claim) => [claim.id, claim]));
  return {
    format: "factcheck-marks/1",
    article: {
      text: article.text, language: article.language, title: article.title,
      url: article.fetched?.canonical_url || article.fetched?.url || article.url || null, sha256: article.sha256,
    },
    analysis: { id, prompt: provenance.prompt, model: provenance.model.served || provenance.model.asked, service: provenance.service },
    complete: byId("marks-complete").checked,
    marks: [
      ...[...marks].map(([claim, told]) => ({ mark: told.mark, claim: claims.get(claim), ...(told.corrected ? { corrected: told.corrected } : {}) })),
      ...missed.map((told) => ({ mark: "missing", ...told })),
    ],
  };
}

function saved() {
  const told = marksFile();
  if (told.complete && marks.size < current.answer.claims.length) {
    say(`${current.answer.claims.length - marks.size} claims are not marked yet: not every claim is.`);
    return;
  }
  save(`marks-${current.answer.id}.json`, "application/json", JSON.stringify(told, null, 1));
}
