// The article and its claims: what lights up together, which claims are shown, which one is held.

import { byId } from "./dom.js";

const LOOKS = { q: "lit-quote", m: "lit-who", e: "lit-stance" };
let places = new Map();
let lit = [];
let held = null;
let listeners = [];

export const cards = () => [...document.querySelectorAll("#claims .card")];
export const cardOf = (rank) => byId(`c${rank}`);
export const heldCard = () => (held ? cardOf(held) : null);
export const whenHeld = (listener) => listeners.push(listener);

// The claims some words belong to, the nearest first: q2 and e2-0 are of claim 2.
const rankOf = (part) => Number(/^[qme](\d+)/.exec(part)[1]);

function index() {
  places = new Map();
  const put = (rank, node, look) => {
    if (!places.has(rank)) places.set(rank, []);
    places.get(rank).push([node, look]);
  };
  for (const piece of document.querySelectorAll("#article-text [data-parts]")) {
    const parts = piece.dataset.parts.split(" ");
    for (const part of parts) {
      // Words that are the claim itself and also show a stance on it look like the claim.
      if (part[0] !== "e" || !parts.includes(`q${rankOf(part)}`)) put(rankOf(part), piece, LOOKS[part[0]]);
    }
  }
  for (const tick of document.querySelectorAll(".strip [data-rank]")) put(Number(tick.dataset.rank), tick, "lit");
  for (const card of cards()) put(Number(card.dataset.rank), card, "lit");
}

function light(rank) {
  for (const [node, look] of lit) node.classList.remove(look);
  lit = places.get(rank) || [];
  for (const [node, look] of lit) node.classList.add(look);
}

// Holds a claim: it stays lit and open. `from` is where it was chosen: the other side is brought into view.
export function hold(rank, from) {
  held = rank;
  light(rank);
  const card = cardOf(rank);
  if (card) {
    for (const listener of listeners) listener(card);
    if (from !== "list") reveal(card);
    if (from !== "article") reveal(byId(`q${rank}`));
  }
}

export function letGo() {
  held = null;
  light(null);
  for (const listener of listeners) listener(null);
}

function reveal(node) {
  node?.scrollIntoView({ block: "center" });
}

// To the claim `by` places on, among those that are shown.
export function step(by) {
  const shown = cards().filter((card) => !card.hidden);
  if (!shown.length) return;
  const at = shown.indexOf(heldCard());
  const next = shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(Math.max(at + by, 0), shown.length - 1)];
  hold(Number(next.dataset.rank), "keys");
  next.focus({ preventScroll: true });
}

function filter() {
  const form = byId("filters");
  const { claimant, stance, kind, worth } = form.elements;
  let shown = 0;
  for (const card of cards()) {
    const { rank } = card.dataset;
    const hidden = Boolean((claimant.value && card.dataset.claimant !== claimant.value)
      || (stance.value && card.dataset.stance !== stance.value)
      || (kind.value && card.dataset.kind !== kind.value)
      || Number(card.dataset.worth) < Number(worth.value));
    card.hidden = hidden;
    shown += !hidden;
    byId(`q${rank}`)?.classList.toggle("off", hidden);
    document.querySelector(`.strip [data-rank="${rank}"]`)?.classList.toggle("off", hidden);
  }
  const visible = new Set(cards().filter((card) => !card.hidden).map((card) => Number(card.dataset.rank)));
  for (const piece of document.querySelectorAll("#article-text mark")) {
    const quotes = piece.dataset.parts.split(" ").filter((part) => part[0] === "q");
    piece.classList.toggle("off", !quotes.some((part) => visible.has(rankOf(part))));
  }
  const heads = [...document.querySelectorAll(".matrix thead [data-rank]")];
  for (const row of document.querySelectorAll(".matrix tbody tr")) {
    heads.forEach((head, column) => row.cells[column + 1].classList.toggle("off", !visible.has(Number(head.dataset.rank))));
  }
  for (const head of heads) head.classList.toggle("off", !visible.has(Number(head.dataset.rank)));
  form.querySelector("output").textContent = Number(worth.value).toFixed(2);
  form.querySelector(".count").textContent = `${shown} of ${cards().length} shown`;
  if (held && heldCard()?.hidden) letGo();
}

// What a place on the page is about: the rank of its claim, or null.
function about(target) {
  const known = target.closest?.("[data-parts], [data-rank], #article-text .n, .card");
  if (!known) return null;
  if (known.dataset.rank) return Number(known.dataset.rank);
  if (known.dataset.n) return Number(known.dataset.n);
  const parts = known.dataset.parts.split(" ");
  const quotes = parts.filter((part) => part[0] === "q").map(rankOf);
  // Of claims whose words overlap the shortest is meant: the others can be reached beside it.
  const shortest = quotes.sort((one, other) => lengthOf(one) - lengthOf(other))[0];
  return shortest ?? rankOf(parts[0]);
}

const lengthOf = (rank) => (places.get(rank) || []).reduce((sum, [node, look]) => sum + (look === LOOKS.q ? node.textContent.length : 0), 0);

// No claim is held, and none can be: something else is shown.
export function forget() {
  held = null;
  lit = [];
  listeners = [];
  places = new Map();
}

export function showReading() {
  forget();
  index();
  const result = byId("result");
  if (!result.dataset.watched) {
    result.dataset.watched = "yes";
    for (const name of ["pointerover", "focusin"]) {
      result.addEventListener(name, ({ target }) => {
        const rank = about(target);
        if (rank) light(rank);
        else if (name === "pointerover") light(held);
      });
    }
    result.addEventListener("pointerleave", () => light(held));
    result.addEventListener("click", ({ target }) => {
      if (target.closest("button, summary, select, input, label, .where")) return;
      const rank = about(target);
      if (!rank || !places.has(rank)) return;
      const from = target.closest("#claims") && !target.closest(".n") ? "list" : target.closest("#article-text") ? "article" : "elsewhere";
      hold(rank, from === "list" ? "keys" : from);
    });
  }
  const form = byId("filters");
  if (!form) return;
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}
