// A run while it happens, on the page of an experiment and on the screens of a class:
// a lane for each kind of session, in which steps appear.

export const find = (selector, inside = document) => inside.querySelector(selector);
export const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
export const parse = (html) => new DOMParser().parseFromString(html, "text/html");

const voice = document.createElement("div");
voice.className = "vh";
voice.setAttribute("role", "status");
document.body.append(voice);

// What is said to those who listen.
export const announce = (text) => (voice.textContent = text);

const laneOf = (name) => all("[data-progress] [data-column]").find((lane) => lane.dataset.column === name);

export function clearStage(stage) {
  for (const lane of all("[data-column]", stage)) {
    delete lane.dataset.begun;
    find("[data-steps]", lane).replaceChildren();
    find("[data-count]", lane).textContent = "waits";
  }
}

// begin says that the column of a kind of session is under way. It returns what to
// tell, or nothing where the page has no lane for it.
export function begin({ name, label }) {
  const lane = laneOf(name);
  if (!lane) return "";
  lane.dataset.begun = "";
  return (find("[data-now]").textContent = `Running: ${label}`);
}

export function step({ column, line, status }) {
  const lane = laneOf(column);
  if (!lane) return;
  lane.dataset.begun = "";
  const item = document.createElement("li");
  item.className = "live";
  const what = document.createElement("span");
  what.textContent = line;
  item.append(what);
  if (status) {
    const number = document.createElement("b");
    number.textContent = status;
    item.append(number);
  }
  const steps = find("[data-steps]", lane);
  steps.append(item);
  steps.scrollTop = steps.scrollHeight;
  const count = steps.children.length;
  find("[data-count]", lane).textContent = count === 1 ? "1 step" : `${count} steps`;
}
