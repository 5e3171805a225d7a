// Dragging lessons to another place. It fills in and sends the same form as the
// named buttons beside it, which do all of this without a pointer.
for (const waiting of document.querySelectorAll(".grip, [data-drag-hint]")) waiting.hidden = false;

for (const grip of document.querySelectorAll("[data-order] .grip")) {
  const item = grip.closest(".it");
  grip.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || dropped) return;
    event.preventDefault();
    drag(item);
  });
}

// dropped is the item whose new place is being sent, and the place it came from.
let dropped = null;

function drag(item) {
  const home = { list: item.parentElement, next: item.nextElementSibling };
  const done = new AbortController();
  const on = (target, type, act) => target.addEventListener(type, act, { signal: done.signal });
  const end = (moved) => {
    done.abort();
    item.removeAttribute("data-dragged");
    const stays = item.parentElement === home.list && item.nextElementSibling === home.next;
    if (stays) return;
    dropped = { item, home };
    if (moved) send(item);
    else putBack();
  };
  item.dataset.dragged = "";
  on(document, "pointermove", (event) => place(item, event.clientY));
  on(document, "pointerup", () => end(true));
  on(document, "pointercancel", () => end(false));
  on(document, "keydown", (event) => event.key === "Escape" && end(false));
}

// place puts the item before the first one whose middle is below the pointer,
// in the list that is nearest to it.
function place(item, y) {
  const lists = [...item.closest("[data-order]").querySelectorAll("ol")];
  const list = lists.findLast((l) => l.closest("section").getBoundingClientRect().top <= y) ?? lists[0];
  const before = [...list.children].find((other) => {
    const box = other.getBoundingClientRect();
    return other !== item && y < box.top + box.height / 2;
  });
  if (item.parentElement !== list || item.nextElementSibling !== (before ?? null)) list.insertBefore(item, before ?? null);
}

function send(item) {
  const form = item.querySelector("[data-move]");
  const list = item.parentElement;
  for (const [name, value] of [["to", [...list.children].indexOf(item)], ["chapter", list.dataset.chapter]]) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    field.dataset.place = "";
    form.append(field);
  }
  form.requestSubmit();
}

// putBack takes back a drop that was not sent. The fields go with it, or the
// next drop of this item would send the old place.
function putBack() {
  if (!dropped) return;
  const { item, home } = dropped;
  dropped = null;
  home.list.insertBefore(item, home.next);
  for (const field of item.querySelectorAll("[data-place]")) field.remove();
}

// Beside a text that is being written, the editor saves the text before it lets
// the form go. If the text is not saved, nothing is moved.
const state = document.querySelector("[data-state]");
if (state) {
  new MutationObserver(() => state.classList.contains("fail") && putBack()).observe(state, { attributeFilter: ["class"] });
}
// A move that was refused leads to a page that says so, and back from there the
// browser may show this page as it was left.
window.addEventListener("pageshow", (event) => event.persisted && putBack());
