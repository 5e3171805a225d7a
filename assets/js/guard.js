// A form that was changed and not sent asks before the page is left.
for (const form of document.querySelectorAll("[data-guard]")) {
  const content = () => new URLSearchParams(new FormData(form)).toString();
  const before = content();
  let sent = false;
  form.addEventListener("submit", () => (sent = true));
  window.addEventListener("beforeunload", (event) => {
    if (!sent && content() !== before) event.preventDefault();
  });
}
