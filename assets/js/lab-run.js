// The page of an experiment: a prediction is saved at the first click, a run is
// shown while it happens, and what was unfolded stays so. Without this script
// the same forms are sent in the ordinary way, and the page comes back changed.
//
// The page is exchanged piece by piece, so nothing here holds on to an element:
// what happens is listened to where it comes out, at the document.

import { all, announce, begin, clearStage, find, parse, step } from "./stage.js";

// ── Hints and steps that stay open, in this tab ──

const shelf = () => `lectern-lab-open-${find("[data-experiment]")?.dataset.experiment}`;
const folds = () => all("[data-hint], [data-stays]");
const foldName = (fold) => fold.dataset.hint ?? fold.dataset.stays;

function rememberFolds() {
  try {
    sessionStorage.setItem(shelf(), JSON.stringify(folds().filter((fold) => fold.open).map(foldName)));
  } catch {
    // storage is full or forbidden: then it is forgotten
  }
}

function openFolds() {
  try {
    const open = JSON.parse(sessionStorage.getItem(shelf())) ?? [];
    for (const fold of folds()) if (open.includes(foldName(fold))) fold.open = true;
  } catch {
    // nothing was kept
  }
}

document.addEventListener("toggle", (event) => event.target.matches?.("[data-hint], [data-stays]") && rememberFolds(), true);

// ── What only a script can do is shown now, what is for others hidden ──

function dress() {
  for (const button of all("[data-plain]")) button.hidden = true;
  for (const button of all("[data-copy]")) button.hidden = !navigator.clipboard;
  for (const button of all("[data-unfold]")) button.hidden = !find(".results .wire details");
  openFolds();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button");
  if (!button) return;
  if ("copy" in button.dataset) {
    try {
      await navigator.clipboard.writeText(find("code", button.closest(".code")).textContent.trim());
      button.textContent = "Copied";
      announce("Copied");
    } catch {
      button.textContent = "Not copied: select the line instead";
    }
  } else if ("unfold" in button.dataset) {
    const steps = all(".results .wire > li > details");
    const open = steps.some((step) => !step.open);
    for (const step of steps) step.open = open;
    button.textContent = open ? "Close every step" : "Open every step";
  } else if ("cancel" in button.dataset) {
    running?.abort();
  }
});

// ── A prediction is saved at the click ──

let saving = null;

// One is on its way at a time, and the last says all that those before it said: so
// what counts is what is marked.
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-predict]");
  if (!form) return;
  if (saving) return void (saving.again = true);
  const mine = (saving = { again: true });
  mine.done = (async () => {
    while (mine.again && form.isConnected) {
      mine.again = false;
      await save(form, mine);
    }
    saving = null;
  })();
});

async function save(form, mine) {
  const failed = (why) => {
    find("[data-part=standing]").textContent = `Not saved: ${why} Your choice is still marked.`;
    for (const button of all("[data-plain]", form)) button.hidden = false;
  };
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const page = parse(await answer.text());
    if (mine.again || !form.isConnected) return; // what is said of the next is what counts
    if (!answer.ok) return failed(messageOf(page) || "the site did not take it.");
    for (const part of ["standing", "run"]) {
      const fresh = find(`[data-part=${part}]`, page);
      // who is told is told by the same element, or nobody hears it
      if (fresh && part === "standing") find("[data-part=standing]").textContent = fresh.textContent.replace(/\s+/g, " ").trim();
      else if (fresh && !running) find(`[data-part=${part}]`).replaceWith(fresh);
    }
    dress();
  } catch {
    if (!mine.again && form.isConnected) failed("the site cannot be reached.");
  }
}

// ── A run, while it happens ──

let running = null;

document.addEventListener("submit", async (event) => {
  const form = event.target.closest?.("form[data-run]");
  if (!form) return;
  event.preventDefault();
  if (running) return;
  const mine = (running = new AbortController());
  const button = find("button", form);
  const cancel = find("[data-cancel]");
  const stage = find("[data-progress]");
  clearStage(stage);
  stage.hidden = cancel.hidden = false;
  button.setAttribute("aria-busy", "true");
  say("");
  now("Asking for a run");
  try {
    await saving?.done; // what is marked is what the run is held against
    await perform(form, mine.signal);
  } catch {
    if (mine.signal.aborted) announce("Cancelled. Nothing was kept of this run.");
    else say("The site cannot be reached. Nothing was lost; try again in a moment.");
  } finally {
    mine.abort(); // whatever is left of the answer is not wanted
    running = null;
    button.removeAttribute("aria-busy");
    if (document.activeElement === cancel) button.focus();
    stage.hidden = cancel.hidden = true;
  }
});

async function perform(form, signal) {
  const answer = await fetch(form.action, {
    method: "POST",
    body: new URLSearchParams(new FormData(form)),
    headers: { Accept: "text/event-stream, text/html;q=0.5" },
    signal,
  });
  const kind = answer.headers.get("Content-Type") ?? "";
  if (!answer.ok) {
    const text = await answer.text();
    const message = kind.includes("json") ? JSON.parse(text).detail : noteOf(parse(text));
    say(message || `The site would not run it (${answer.status}).`, answer.headers.get("Retry-After"));
  } else if (kind.startsWith("text/event-stream")) {
    await follow(answer.body, signal);
  } else {
    show(parse(await answer.text()), answer.url); // it was quicker than a stream
  }
}

// A run takes a twentieth of a second, and its steps are shown more slowly than they
// happen, so that a room can follow them; for so long in all. Who wants no motion, or
// presses Cancel, sees them at once.
const slowly = 60;
const slowest = 3000;

async function pause(signal, spent) {
  if (signal.aborted || spent.time >= slowest || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  spent.time += slowly;
  await new Promise((goOn) => {
    const timer = setTimeout(goOn, slowly);
    signal.addEventListener("abort", () => (clearTimeout(timer), goOn()), { once: true });
  });
}

// follow shows the events of a run, until it is done or has failed.
async function follow(body, signal) {
  const spent = { time: 0 };
  for await (const { name, data } of events(body)) {
    if (name === "waiting") now(data.ahead === 1 ? "One run is before yours" : `${data.ahead} runs are before yours`);
    else if (name === "column") announce(begin(data));
    else if (name === "step") {
      step(data);
      await pause(signal, spent);
    }
    else if (name === "failed") return say(data.message);
    else if (name === "done") return load(data.href);
  }
  say("The run broke off before its end. Nothing was kept of it; run it again.");
}

// events reads a stream of events (HTML Standard, 9.2.6) as far as it is used
// here: a name and a line of JSON.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text = (text + value).replaceAll("\r\n", "\n");
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const field = (name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, "")).join("\n");
      if (field("data")) yield { name: field("event"), data: JSON.parse(field("data")) };
    }
  }
}

const now = (text) => {
  find("[data-now]").textContent = text;
  announce(text);
};

// ── What the site says instead of a run ──

const noteOf = (page) => find("[data-message]", page) ?? messageOf(page);
const messageOf = (page) => find(".lede", page)?.textContent.trim() ?? "";

// say puts a sentence, or a note of another page, under the button.
function say(what, wait) {
  const place = find("[data-said]");
  if (typeof what === "object" && what) {
    place.replaceChildren(document.importNode(what, true));
  } else if (what) {
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = what + (wait ? ` Try again in ${wait} seconds.` : "");
    place.replaceChildren(note);
  } else {
    place.replaceChildren();
  }
  if (place.textContent.trim()) announce(place.innerText.replace(/\s+/g, " ").trim());
}

// ── The page that a run ends in, in place of this one ──

async function load(href) {
  running = null; // too late to cancel
  find("[data-cancel]").hidden = true;
  const answer = await fetch(href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return location.assign(href);
  show(parse(await answer.text()), new URL(href, location.href));
}

function show(page, href) {
  history.replaceState({ lab: true }, ""); // so that Back finds what stood here
  history.pushState({ lab: true }, "", href);
  exchange(page);
  const place = find("#what-title");
  place?.focus({ preventScroll: true });
  find("#what")?.scrollIntoView();
  announce(find("[data-broken]") ? "The run is done, and the experiment is broken." : "The run is done. What happened stands below.");
}

function exchange(page) {
  const main = find("main", page);
  if (!main) return location.reload();
  document.title = page.title;
  find("main").replaceWith(document.adoptNode(main));
  dress();
}

// Back and forward go between what was shown in place.
addEventListener("popstate", async (event) => {
  if (!event.state?.lab) return;
  running?.abort();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    exchange(parse(await answer.text()));
  } catch {
    location.reload();
  }
});

dress();
