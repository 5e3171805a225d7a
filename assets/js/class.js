// A class, on the screen in front and on the learners' telephones: what happens in
// it shows without a reload. The server says in an event how the class stands; a
// page that says otherwise is fetched again and put in place of this one, and the
// tally changes where it is. Without this script, "Look again" does the same.

import { all, announce, begin, clearStage, find, parse, step } from "./stage.js";

const hall = () => find("[data-class]");
const pause = (time) => new Promise((done) => setTimeout(done, time));

// ── The page, exchanged for the same page as it is now ──

const told = {
  waiting: "Nothing is asked just now.",
  asking: "There is a new question.",
  running: "It is being run.",
  ran: "What came out is there.",
};

function exchange(page) {
  const fresh = find("[data-class]", page);
  if (!fresh) return location.reload(); // whatever it is, it is not this class
  const before = hall();
  const moved = before.dataset.phase !== fresh.dataset.phase || before.dataset.version === "over";
  const focused = document.activeElement?.id;
  document.title = page.title;
  before.replaceWith(document.adoptNode(fresh));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  dress();
  if (!moved) return;
  announce(fresh.dataset.version === "over" ? "The class is over." : told[fresh.dataset.phase] ?? "");
  if (fresh.getBoundingClientRect().top < 0) fresh.scrollIntoView();
}

let fetching = null;

// refresh fetches the page again. However often it is asked to meanwhile, it does so
// once more at most.
async function refresh() {
  if (fetching) return void (fetching.again = true);
  const mine = (fetching = { again: false });
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(20_000) });
    const page = parse(await answer.text());
    if (answer.ok && answer.url === location.href.split(/[?#]/)[0]) exchange(page);
    else if (answer.ok || answer.status === 404 || answer.status === 403) location.reload();
    else mine.again = true; // too many at once, or the site is away for a moment
    if (mine.again && !answer.ok) await pause(waitOf(answer));
  } catch {
    mine.again = true;
    await pause(3000);
  } finally {
    fetching = null;
    if (mine.again) refresh();
  }
}

const waitOf = (answer) => 1000 * Math.min(60, Number(answer.headers.get("Retry-After")) || 3) + Math.random() * 1000;

// ── What the server tells ──

let source = null;
let again = null;

function listen() {
  clearTimeout(again);
  if (source || document.hidden || !hall() || hall().dataset.version === "over") return;
  const mine = (source = new EventSource(hall().dataset.events));
  mine.addEventListener("open", () => connection(""));
  mine.addEventListener("class", (event) => hear(JSON.parse(event.data)));
  mine.addEventListener("column", (event) => {
    stage();
    begin(JSON.parse(event.data));
  });
  mine.addEventListener("step", (event) => {
    stage();
    step(JSON.parse(event.data));
  });
  mine.addEventListener("error", () => {
    // The server ends each stream within a minute, and the browser asks again by
    // itself; only what it has given up is asked for here.
    if (mine.readyState !== EventSource.CLOSED) return;
    source = null;
    connection("Not connected just now; trying again.");
    again = setTimeout(listen, 3000 + Math.random() * 4000);
  });
}

function deafen() {
  source?.close();
  source = null;
}

// Nobody looks at a hidden page; what it misses it is told when it is looked at.
document.addEventListener("visibilitychange", () => (document.hidden ? deafen() : listen()));
addEventListener("pagehide", deafen);
addEventListener("pageshow", listen);

const connection = (text) => all("[data-connection]").forEach((place) => (place.textContent = text));

async function hear(news) {
  const now = hall();
  if (news.version !== now.dataset.version) {
    const leads = now.dataset.events.startsWith("/lab/");
    if (busy) return; // the answer to the form brings it
    if (!leads) await pause(Math.random() * 800); // so that a class does not ask in one moment
    if (news.version !== hall().dataset.version) refresh();
    if (news.version === "over") deafen();
    return;
  }
  if (news.learners !== undefined) count(news.learners);
  for (const [family, split] of Object.entries(news.tally ?? {})) vote(family, split);
}

const number = (n) => n.toLocaleString("en");

function count(learners) {
  const place = find("[data-learners]");
  if (!place) return;
  place.textContent = number(learners);
  find("[data-have]").textContent = learners === 1 ? "has predicted" : "have predicted";
}

function vote(family, split) {
  const votes = all("[data-votes]").find((place) => place.dataset.votes === family);
  if (!votes || hall().dataset.phase !== "asking") return;
  const whole = split.accepted + split.refused;
  for (const [verdict, n] of Object.entries(split)) {
    const place = find(`[data-vote=${verdict}]`, votes);
    place.textContent = number(n);
    place.nextElementSibling.className = `bar v${whole ? Math.floor((n * 100 + Math.floor(whole / 2)) / whole) : 0}`;
  }
}

// ── A run, while it happens in front ──

function stage() {
  const place = find("[data-progress]");
  if (!place?.hidden) return;
  place.hidden = false;
  clearStage(place);
}

// ── The forms of the screen in front, which stay on the page ──

let busy = false;

document.addEventListener("submit", async (event) => {
  const form = event.target.closest?.("form[data-live]");
  if (!form) return;
  event.preventDefault();
  if (busy) return;
  busy = true;
  const running = form.dataset.live === "run";
  const button = event.submitter ?? find("button", form);
  const body = new URLSearchParams(new FormData(form, event.submitter));
  button.setAttribute("aria-busy", "true");
  say("");
  if (running) stage();
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const page = parse(await answer.text());
    if (!answer.ok) {
      const why = find(".lede", page)?.textContent.trim() || `The site would not do it (${answer.status}).`;
      const wait = answer.headers.get("Retry-After");
      say(why + (wait ? ` Try again in ${wait} seconds.` : ""));
    } else if (find("[data-class]", page)) {
      exchange(page);
      if (running) find("[data-focus]")?.focus({ preventScroll: true });
      else find("form[data-live=tally] button")?.focus({ preventScroll: true });
    } else {
      location.assign(answer.url);
    }
  } catch {
    say("The site cannot be reached. Nothing was lost; try again in a moment.");
  } finally {
    busy = false;
    button.removeAttribute("aria-busy");
    const place = find("[data-progress]");
    if (place && hall().dataset.phase === "asking") place.hidden = true;
    if (running && hall().dataset.phase === "asking") refresh();
  }
});

function say(text) {
  const place = find("[data-said]");
  if (!place) return;
  if (!text) return place.replaceChildren();
  const note = document.createElement("p");
  note.className = "note";
  note.dataset.s = "fail";
  note.textContent = text;
  place.replaceChildren(note);
}

// ── A prediction is sent at the tap ──

let saving = null;

// One is on its way at a time, and the last says all that those before it said: so
// what counts is what is marked.
document.addEventListener("change", async (event) => {
  const form = event.target.closest?.("form[data-predict]");
  if (!form) return;
  if (saving) return void (saving.again = true);
  const mine = (saving = { again: true });
  while (mine.again && form.isConnected) {
    mine.again = false;
    await send(form);
  }
  saving = null;
});

async function send(form) {
  const failed = (why) => {
    find("[data-part=standing]", form).textContent = `Not sent: ${why} Your choice is still marked; send it again.`;
    for (const button of all("[data-plain]", form)) button.hidden = false;
  };
  try {
    const families = all("fieldset", form);
    const said = families.filter((family) => find("input:checked", family)).length;
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" } });
    if (answer.status === 409) return void refresh();
    if (!answer.ok) return failed((await answer.json().catch(() => ({}))).detail ?? "the site did not take it.");
    find("[data-part=standing]", form).textContent = said === families.length ? form.dataset.all : `${said} of ${families.length} ${form.dataset.some}`;
    for (const button of all("[data-plain]", form)) button.hidden = true;
  } catch {
    failed("the site cannot be reached.");
  }
}

// ── What only those without a script need is hidden ──

function dress() {
  for (const button of all("[data-plain]")) button.hidden = true;
  const lanes = find("[data-progress]");
  if (lanes && hall().dataset.phase === "running") stage();
}

dress();
listen();
