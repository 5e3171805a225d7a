// Ways to sign in that are links take along what was chosen in the form beside them:
// the kind of session, and for how long. Without this module they do not.
for (const link of document.querySelectorAll("a[data-carries]")) {
  const form = document.getElementById(link.dataset.carries);
  const carry = () => {
    const chosen = new FormData(form);
    const address = new URL(link.href);
    for (const name of ["backend", "remember"]) {
      const value = chosen.get(name);
      if (value) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    link.href = address.href;
  };
  carry();
  // Some fields of the form stand elsewhere on the page, so their changes do not pass by it.
  document.addEventListener("change", (event) => event.target.form === form && carry());
  // What a browser fills in when it comes back to a page changes without a word.
  window.addEventListener("pageshow", carry);
}
