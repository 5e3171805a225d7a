// Closes the account menu as menus are closed: by Escape, by a press beside it,
// and by moving on with the Tab key. Without this it opens and closes by its
// own button, as every <details> does.
for (const menu of document.querySelectorAll("details.who")) {
  const close = (event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  };
  document.addEventListener("pointerdown", close);
  document.addEventListener("focusin", close);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
