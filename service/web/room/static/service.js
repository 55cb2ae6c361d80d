// Asks this service, with the key that was given, which is kept in this variable and nowhere else.

let key = "";

export class Problem extends Error {
  constructor(document) {
    super(document.detail || document.title);
    this.document = document;
  }
}

export function useKey(given) {
  key = given;
}

export async function call(path, { headers = {}, ...rest } = {}) {
  const named = key ? { ...headers, Authorization: `Bearer ${key}` } : headers;
  let response;
  try {
    response = await fetch(path, { ...rest, headers: named, credentials: "omit", referrerPolicy: "no-referrer" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The service cannot be reached", detail: "The connection failed. Is the service running?", code: "unreachable" });
  }
  if (!response.ok) throw new Problem(await problemOf(response));
  return response;
}

async function problemOf(response) {
  try {
    return { status: response.status, ...(await response.json()) };
  } catch {
    return { title: "The service failed", detail: `It answered with status ${response.status}.`, status: response.status, code: "unknown" };
  }
}

export function asJson(value, headers = {}) {
  return { method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json", ...headers } };
}

// The answer to a question. `told` hears of progress: told("progress", {...}), told("claim", {...}).
export async function ask(question, told, signal) {
  const accept = "text/event-stream, application/json;q=0.9";
  const response = await call("/analyze", { ...asJson(question, { Accept: accept }), signal });
  if (!(response.headers.get("Content-Type") || "").startsWith("text/event-stream")) return response.json();
  for await (const { event, data } of events(response.body)) {
    if (event === "done") return data;
    if (event === "problem") throw new Problem(data);
    told(event, data);
  }
  throw new Problem({ title: "The answer was cut off", detail: "The connection ended before the answer was whole. Nothing of it is kept.", code: "cut-off" });
}

// The events of a stream, as the HTML standard reads them: blocks of lines with a blank line behind each.
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return; // a block without its blank line was cut off
    const blocks = (waiting + value).split(/\r\n\r\n|\n\n/);
    waiting = blocks.pop();
    for (const block of blocks) {
      let event = "message";
      const data = [];
      for (const line of block.split(/\r\n|\n/)) {
        const [, name, rest] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) || [];
        if (name === "event") event = rest || "";
        if (name === "data") data.push(rest || "");
      }
      if (data.length) yield { event, data: JSON.parse(data.join("\n")) };
    }
  }
}

// The part of the page that shows these answers, as nodes. The service wrote and escaped it.
export async function rendered(path, document) {
  const response = await call(path, asJson(document, { Accept: "text/html" }));
  return [...new DOMParser().parseFromString(await response.text(), "text/html").body.childNodes];
}
