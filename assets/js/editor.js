// The lesson editor: saving in place, live preview, formatting, and signing in
// again without leaving the text. Without this script the same form is sent in
// the ordinary way, and loses nothing either.
import { drafts } from "./drafts.js";
import { formatting } from "./formatting.js";

const form = document.querySelector("[data-editor]");
const body = form.elements.body;
const find = (name) => document.querySelector(`[data-${name}]`);
const state = find("state");
const alarm = find("alarm");
const kept = drafts(form.dataset.lesson);

const snapshot = () => new URLSearchParams(new FormData(form)).toString();
const clock = () => new Date().toLocaleTimeString("en-GB");

let saved = "unsaved" in form.dataset ? null : snapshot();
let leaving = false; // this page is being left on purpose
let saving = null; // the save that is under way
let wanted = { then: "", back: null }; // what the save that met the end of the session was for

const dirty = () => snapshot() !== saved;

function say(text, failed = false) {
  if (state.textContent.trim() === text) return;
  state.textContent = text;
  state.classList.toggle("fail", failed);
}

function announce(text) {
  find("announce").textContent = text;
}

// keep writes the unsaved text into this tab's own storage, so that a crash
// does not take it. It reports whether it could.
function keep() {
  return kept.keep({ version: form.elements.version.value, title: form.elements.title.value, body: body.value, at: clock() });
}

const send = (address, data) =>
  fetch(address, { method: "POST", body: data, headers: { Accept: "application/json" }, credentials: "same-origin" });

// save sends the form and reports whether the text is safe on the server. What
// is typed meanwhile stays unsaved.
function save(then = "") {
  saving ??= saveOnce(then).finally(() => (saving = null));
  return saving;
}

async function saveOnce(then) {
  const sent = snapshot();
  const data = new URLSearchParams(sent);
  if (then) data.set("do", then);
  say("Saving");
  let answer;
  try {
    answer = await send(form.action, data);
  } catch {
    notSaved("the site cannot be reached. Try again in a moment.");
    return false;
  }
  if (answer.ok) {
    const { version, readers } = await answer.json();
    accepted(sent, version, readers);
    return true;
  }
  const why = await answer.json().catch(() => ({}));
  if (answer.status === 401) {
    wanted.then = then;
    raise(true);
  } else if (answer.status === 409 && why.version) {
    find("stale-text").textContent = why.by ? `${why.by} saved this lesson meanwhile.` : "This lesson was saved meanwhile.";
    find("stale").hidden = false;
    announce("Not saved: somebody saved while you were writing. Your text is untouched.");
    notSaved("somebody saved meanwhile.");
  } else {
    notSaved(why.detail ?? "something went wrong here. Try again.");
  }
  return false;
}

function accepted(sent, version, readers) {
  const unchanged = snapshot() === sent;
  form.elements.version.value = version;
  const now = new URLSearchParams(sent);
  now.set("version", version);
  saved = unchanged ? snapshot() : now.toString();
  find("stale").hidden = true;
  find("readers").textContent = readers;
  document.querySelector("h1").textContent = now.get("title");
  settle();
  kept.drop();
  if (unchanged) {
    say(`Saved at ${clock()}`);
  } else {
    keep();
    say("Typing, not saved yet");
  }
}

// settle takes away what stood there to decide between two texts.
function settle() {
  if (!find("conflict")) return;
  find("conflict").remove();
  find("drop").remove();
  find("save").textContent = "Save";
}

function notSaved(reason) {
  const where = keep() ? " Your text is kept in this tab." : " Your text is still on this page.";
  say(`Not saved: ${reason}${where}`, true);
}

// raise shows that the session has ended, and asks for the password in place.
// Only a person who has just tried to save is taken to it.
function raise(takeThere) {
  const safe = keep() ? `It is kept in this tab, ${clock()}.` : "It is still on this page.";
  say("Not saved: your session has ended.", true);
  if (alarm.hidden) {
    alarm.hidden = false;
    find("alarm-text").textContent = `${safe} Sign in again here to save it; you will not leave the page.`;
  }
  if (takeThere) {
    if (!alarm.contains(document.activeElement)) wanted.back = document.activeElement;
    alarm.querySelector("[type=password]").focus();
  }
}

find("signin").addEventListener("submit", async (event) => {
  event.preventDefault();
  const door = event.currentTarget;
  const button = door.querySelector("[type=submit]");
  const text = find("alarm-text");
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await send(door.action, new URLSearchParams(new FormData(door)));
    if (answer.ok) {
      door.elements.password.value = "";
      if (await save(wanted.then)) {
        alarm.hidden = true;
        (wanted.back?.isConnected ? wanted.back : body).focus();
        announce("You are signed in again, and the text is saved.");
        if (wanted.then) leaveFor(wanted.then);
      } else {
        text.textContent = "You are signed in again, but the text is not saved yet. The line above it says why.";
      }
      return;
    }
    text.textContent =
      answer.status === 429
        ? `Too many tries. Try again in ${answer.headers.get("Retry-After")} seconds; your text waits.`
        : answer.status === 422
          ? "That is not the password. Your text is still here."
          : "Signing in does not work just now. Your text is still here; try again.";
    door.elements.password.select();
  } catch {
    text.textContent = "The site cannot be reached. Your text is still here; try again in a moment.";
  } finally {
    button.removeAttribute("aria-busy");
  }
});

// leaveFor looks at the page again after the lesson was published or made a
// draft, which changes more of it than the text.
function leaveFor(then) {
  leaving = true;
  location.assign(`${form.action}?said=lesson-${then}ed`);
}

form.addEventListener("submit", async (event) => {
  const button = event.submitter;
  if (button && ("plain" in button.dataset || "compare" in button.dataset)) {
    leaving = true;
    return;
  }
  event.preventDefault();
  const then = button?.name === "do" ? button.value : "";
  wanted = { then: "", back: button };
  if ((await save(then)) && then) leaveFor(then);
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s") {
    event.preventDefault();
    wanted = { then: "", back: document.activeElement };
    save();
  }
});

let keeping;
form.addEventListener("input", () => {
  if (alarm.hidden) say(dirty() ? "Typing, not saved yet" : "Nothing to save");
  clearTimeout(keeping);
  keeping = setTimeout(() => (dirty() ? keep() : kept.drop()), 400);
});

window.addEventListener("beforeunload", (event) => {
  if (!leaving && dirty()) event.preventDefault();
});
window.addEventListener("pageshow", () => (leaving = false));

find("drop")?.addEventListener("click", () => {
  leaving = true;
  kept.drop();
});

// Moving a lesson loads the page again, so the text is saved first.
for (const move of document.querySelectorAll("[data-move]")) {
  move.hidden = false;
  move.addEventListener("submit", async (event) => {
    if (!dirty()) {
      leaving = true;
      return;
    }
    event.preventDefault();
    if (await save()) {
      leaving = true;
      move.requestSubmit(event.submitter);
    }
  });
}

// The live preview is the answer of the same code that renders the lesson.
const preview = find("preview");
let waiting, asked;
for (const field of [body, form.elements.kind]) {
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 350);
  });
}

async function show() {
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch("/teach/preview", {
      method: "POST",
      body: new URLSearchParams({ body: body.value, kind: form.elements.kind.value }),
      signal: asked.signal,
      credentials: "same-origin",
      headers: { Accept: "text/html" },
    });
    if (answer.status === 401) raise(false);
    if (!answer.ok) return;
    preview.innerHTML = await answer.text();
    const count = (n, one, many) => `${Number(n).toLocaleString("en-GB")} ${n === "1" ? one : many}`;
    const words = count(answer.headers.get("Lectern-Words"), "word", "words");
    const minutes = count(answer.headers.get("Lectern-Minutes"), "minute", "minutes");
    warn(answer.headers.get("Lectern-Unknown") ?? "");
    find("length").textContent = `Markdown, ${words}, about ${minutes} to read`;
  } catch {
    // The preview stays as it was; the next key stroke asks again.
  }
}

// warn says what the text embeds and there is not. It changes the words only when they
// do change, since they are read out.
function warn(unknown) {
  const words = decodeURIComponent(unknown.replaceAll("+", " "));
  const place = find("unknown");
  if (place && place.textContent !== words) place.textContent = words;
}

// Text that a crash or a closed page left behind is offered, never forced.
function offer() {
  const found = kept.find();
  if (!found || saved === null) return;
  if (found.title === form.elements.title.value && found.body === body.value) {
    kept.drop();
    return;
  }
  const older = found.version !== form.elements.version.value;
  find("draft-text").textContent = older
    ? `It is from ${found.at}. The lesson has been saved since; if you bring it back, saving shows you both.`
    : `It is from ${found.at}, and is kept in this tab only.`;
  find("draft-offer").hidden = false;
  const answer = (take) => {
    find("draft-offer").hidden = true;
    if (take) {
      form.elements.version.value = found.version;
      form.elements.title.value = found.title;
      body.value = found.body;
      body.dispatchEvent(new Event("input", { bubbles: true }));
    } else {
      kept.drop();
    }
    body.focus();
  };
  document.querySelector('[data-draft="take"]').addEventListener("click", () => answer(true));
  document.querySelector('[data-draft="drop"]').addEventListener("click", () => answer(false));
}

document.querySelector("[data-plain]").hidden = true;
formatting(find("tools"), body);
offer();
