// Another prompt, another model or another version of the article beside the answer that is shown.

import { rendered } from "./service.js";
import { byId, element, say } from "./dom.js";
import { forget } from "./reading.js";

// The tool that lays another answer beside the one in `state`; `page` runs questions and shows what comes of them.
export function compareTools(state, page) {
  const panel = element("div", { class: "ways", id: "ways" });
  const open = element("button", {
    type: "button", id: "compare", "aria-expanded": "false", "aria-controls": "ways",
    click: () => {
      if (panel.isConnected) panel.remove();
      else {
        panel.replaceChildren(...ways(state, page));
        byId("tools").after(panel);
        panel.querySelector("select, input")?.focus();
      }
      open.setAttribute("aria-expanded", String(panel.isConnected));
    },
  }, "Compare…");
  return [open];
}

function ways(state, page) {
  const { answer } = state;
  const prompts = element("select", { id: "other-prompt" },
    ...[...byId("prompt").options].map((option) => element("option", { value: option.value }, option.text)));
  const words = element("textarea", { id: "other-text", rows: "6", dir: "auto" });
  words.value = answer.article.text;
  const file = element("input", { type: "file", id: "other-file", accept: ".json,application/json" });
  file.addEventListener("change", guarded(page, async () => beside(state, page, JSON.parse(await file.files[0].text()))));
  return [
    element("div", {}, element("label", { for: "other-prompt" }, "The same article with the prompt"), prompts,
      element("button", { type: "button", id: "other-go", click: guarded(page, () => asked(state, page, answer.article.text, prompts.value)) }, "Ask")),
    element("div", {}, element("label", { for: "other-file" }, "A saved answer (JSON), of another model or another day"), file),
    element("details", {}, element("summary", {}, "Another version of the article"),
      element("label", { for: "other-text" }, "Its words as they are now"), words,
      element("button", { type: "button", id: "version-go", click: guarded(page, () => asked(state, page, words.value, promptOf(answer))) }, "Ask")),
  ];
}

const promptOf = ({ provenance }) => provenance.prompt.split("#")[0];

const guarded = (page, work) => async () => {
  try {
    await work();
  } catch (error) {
    page.show("shown");
    if (error.name === "AbortError") say("Stopped. Nothing was kept.");
    else page.fail(error);
  }
};

async function asked(state, page, text, prompt) {
  const { title, language } = state.answer.article;
  const listed = [...byId("prompt").options].some((option) => option.value === prompt);
  const article = { text, language: /^[a-z]{2,3}$/.test(language) && language !== "und" ? language : undefined, title: title || undefined };
  const { store, ...options } = state.question?.options || {};
  const { seal, ...other } = await page.run({ article, options: { ...options, return_text: true }, ...(prompt && listed ? { prompt } : {}) });
  await beside(state, page, other);
}

async function beside(state, page, other) {
  const one = state.answer;
  byId("result").replaceChildren(...(await rendered("/room/compare", { one, other })));
  forget();
  page.show("shown");
  byId("failure").replaceChildren();
  const tools = byId("tools");
  tools.append(
    element("button", { type: "button", id: "back", click: () => page.showAnswer(one, state.question) }, "Back to the first"),
    element("button", { type: "button", click: () => page.showAnswer(other, null) }, "To the second alone"),
    element("button", { type: "button", click: () => print() }, "Print"),
  );
  tools.hidden = false;
  const price = byId("price");
  price.hidden = false;
  price.addEventListener("submit", (event) => event.preventDefault());
  price.addEventListener("input", () => money(price, one, other));
  byId("title-shown").focus({ preventScroll: true });
  scrollTo(0, 0);
}

// What the tokens cost at the prices written down. Nothing of it leaves the page.
function money({ elements }, one, other) {
  const price = (name, otherwise) => Number(elements[name].value || otherwise || 0);
  const [first, second] = [
    [one, price("in"), price("out")],
    [other, price("in2", elements.in.value), price("out2", elements.out.value)],
  ].map(([{ usage }, dear, out]) => (usage.input_tokens * dear + usage.output_tokens * out) / 1e6);
  const row = byId("money");
  row.hidden = false;
  [first, second, second - first].forEach((value, index) => {
    row.cells[index + 1].textContent = value.toFixed(4);
  });
}

