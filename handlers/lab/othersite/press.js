// A page needs no visitor to press its button.
const button = document.querySelector("[data-press]");
button.hidden = false;
button.addEventListener("click", () => button.form.submit());
