// The page: from the form to the article with its claims.

import { Problem, ask, call, rendered, useKey } from "./service.js";
import { showReading } from "./reading.js";
import { setUpKeys } from "./keys.js";
import { setUpTools } from "./tools.js";
import { byId, element, linkTo, say } from "./dom.js";

const FILE_BYTES = 4_000_000;
const form = byId("form");
const state = { answer: null, question: null, running: null, file: null };

function show(name) {
  document.body.dataset.state = name;
  byId("ask").hidden = name !== "asking";
  byId("progress").hidden = name !== "reading";
  byId("result").hidden = name !== "shown";
  byId("again").hidden = name === "asking";
}

function fail(error) {
  if (error.name === "AbortError") return;
  const told = error instanceof Problem ? error.document : { title: "The page failed", detail: String(error.message) };
  const faults = (told.errors || []).map(({ pointer, detail }) => element("li", {}, pointer && element("code", {}, pointer), pointer && " ", detail));
  const ids = [told.code && `Code ${told.code}`, told.request_id && `request ${told.request_id}`].filter(Boolean).join(", ");
  byId("failure").replaceChildren(
    element("section", { class: "problem" },
      element("h2", {}, told.title || "It did not work"), element("p", {}, told.detail || ""),
      faults.length ? element("ul", {}, ...faults) : null, element("p", { class: "soft" }, ids)),
  );
  if (told.status === 401) {
    byId("key-form").hidden = false;
    show("asking");
    byId("key").focus();
  }
}

function question() {
  const field = (name) => (form.elements[name] ? form.elements[name].value.trim() : "");
  const article = {};
  const { file } = state;
  if (file) article[file.html ? "html" : "text"] = file.words;
  else if (form.elements.text.value.trim() || !field("url")) article.text = form.elements.text.value;
  for (const name of ["url", "title", "language"]) if (field(name)) article[name] = field(name);
  const options = { return_text: true };
  for (const name of ["max_claims", "min_check_worthiness"]) if (field(name)) options[name] = Number(field(name));
  for (const name of ["allow_partial", "store"]) if (form.elements[name]?.checked) options[name] = true;
  return { article, options, ...(field("prompt") ? { prompt: field("prompt") } : {}) };
}

// Shows what is being read meanwhile. Returns what hears of it.
export function progressShown() {
  const found = byId("found");
  const bar = byId("bar");
  const words = byId("progress-words");
  const begin = () => {
    found.replaceChildren();
    bar.removeAttribute("value");
    words.textContent = "The article is on its way to be read.";
  };
  begin();
  return (event, data) => {
    if (event === "progress") {
      if (!data.read && !data.claims) begin();
      const failed = data.failed ? `, ${data.failed} could not be read` : "";
      bar.max = Math.max(data.passages || 1, 1);
      if (data.read || data.failed) bar.value = data.read + (data.failed || 0);
      words.textContent = `${data.read} of ${data.passages} ${data.passages === 1 ? "passage" : "passages"} read${failed}; ${data.claims} ${data.claims === 1 ? "claim" : "claims"} proved so far.`;
    } else if (event === "claim") {
      const who = data.claimant ? data.claimant.name : data.mode === "own_voice" ? "the article" : "not named";
      found.append(element("li", {}, element("b", { dir: "auto" }, data.text), " ", element("bdi", {}, who)));
    }
  };
}

export async function run(asked) {
  const running = new AbortController();
  state.running = running;
  byId("failure").replaceChildren();
  show("reading");
  byId("cancel").focus();
  try {
    return await ask(asked, progressShown(), running.signal);
  } finally {
    state.running = null;
  }
}

export function cancel() {
  state.running?.abort();
}

async function showAnswer(answer, asked) {
  const nodes = await rendered("/room/view", answer);
  Object.assign(state, { answer, question: asked });
  byId("result").replaceChildren(...nodes);
  byId("failure").replaceChildren();
  show("shown");
  document.title = `Claims in: ${answer.article.title || "Untitled article"}`;
  showReading();
  setUpTools(state, { run, show, fail, again, showAnswer });
  byId("title-shown").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

// What goes back to the service to be shown: without the seal, which only a new question needs.
function kept(answer, asked) {
  const { seal, ...rest } = answer;
  const url = asked?.article.url;
  return url && !rest.article.fetched ? { ...rest, article: { ...rest.article, url } } : rest;
}

async function submit(event) {
  event.preventDefault();
  const asked = question();
  try {
    const answer = await run(asked);
    state.seal = answer.seal || null;
    await showAnswer(kept(answer, asked), asked);
    history.replaceState(null, "", answer.analysis_url ? linkTo(answer) : location.pathname);
    say(`${answer.claims.length} claims found.`);
  } catch (error) {
    show("asking");
    if (error.name === "AbortError") say("Stopped. Nothing was kept.");
    else fail(error);
  }
}

export function again() {
  show("asking");
  history.replaceState(null, "", location.pathname);
  document.title = "Reading room";
  byId("failure").replaceChildren();
  byId("text").focus();
}

async function take(file) {
  if (file.size > FILE_BYTES) throw new Problem({ title: "The file is too long", detail: `It has ${file.size} bytes.` });
  let words;
  try {
    words = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Problem({ title: "The file cannot be read", detail: "It is not UTF-8: convert it first." });
  }
  state.file = { words, html: file.type === "text/html" || /\.html?$/i.test(file.name) };
  // A text field would change its line ends, so what is sent is the file itself, until somebody writes into the field.
  form.elements.text.value = words;
  say(`${file.name} is ready to be read.`);
}

async function open(file) {
  const answer = JSON.parse(await file.text());
  await showAnswer(kept(answer, null), null);
}

// A link to a stored analysis: its key stands behind the #, so the page's own address tells no log of it.
async function followLink() {
  const [, key] = /^#analysis=([A-Za-z0-9_-]{32})$/.exec(location.hash) || [];
  if (!key) return;
  try {
    const response = await call(`/analyses/${key}`, { headers: { Accept: "application/json" } });
    await showAnswer(kept(await response.json(), null), null);
  } catch (error) {
    fail(error);
  }
}

async function fillIn() {
  const select = byId("prompt");
  const [prompts, models] = await Promise.all(["/prompts", "/models"].map(async (path) => (await call(path)).json()));
  const added = prompts.filter(({ task }) => task === "extract_claims")
    .map(({ name, summary }) => element("option", { value: name }, `${name}: ${summary}`));
  select.replaceChildren(select.options[0], ...added);
  document.querySelector(".asked").textContent = `Asked: ${models.map(({ name, endpoint }) => `${name} at ${endpoint}`).join(", then ")}`;
}

const guarded = (work) => async (...given) => {
  try {
    await work(...given);
  } catch (error) {
    fail(error);
  }
};

form.addEventListener("submit", submit);
form.elements.text.addEventListener("input", () => {
  state.file = null;
  byId("file").value = "";
});
byId("file").addEventListener("change", guarded(async ({ target }) => target.files[0] && take(target.files[0])));
byId("open").addEventListener("change", guarded(async ({ target }) => target.files[0] && open(target.files[0])));
byId("cancel").addEventListener("click", cancel);
byId("again").addEventListener("click", again);
byId("key-form").addEventListener("submit", guarded(async (event) => {
  event.preventDefault();
  useKey(byId("key").value.trim());
  byId("key").value = "";
  byId("key-words").textContent = "The key is used, and forgotten when this tab closes.";
  byId("failure").replaceChildren();
  await fillIn();
  await followLink();
}));
const drop = byId("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, guarded(async (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    const [file] = name === "drop" ? event.dataTransfer.files : [];
    if (file) await take(file);
  }));
}
addEventListener("hashchange", followLink);
document.querySelector(".open").hidden = false;
setUpKeys(state, { cancel, again });
// With the page from the form alone there is no answer to work with: its words are in the form, which can be sent again.
if (document.body.dataset.state === "shown") byId("again").hidden = false;
await followLink();
