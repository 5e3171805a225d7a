// The menus of the catalogue act as soon as they are changed, so the button
// beside them is not needed. Without this module the button does the same.
for (const form of document.querySelectorAll("form[data-filters]")) {
  const button = form.querySelector("button[type=submit]");
  button.hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
  // What is not chosen need not stand in the address.
  form.addEventListener("submit", () => {
    for (const field of form.elements) {
      if (field.name && field.value === "") field.disabled = true;
    }
  });
  // Coming back by the browser's own button shows the page as it was left.
  window.addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
}
