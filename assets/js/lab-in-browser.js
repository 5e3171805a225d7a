// What an experiment does in the visitor's own browser. The page of an experiment is
// exchanged in place, so each part is an element that dresses itself when it comes.

// ── A script looks for the session ──

// These are values that open nothing.
const cookieName = "lectern-lab-open";
const storageName = "lectern-lab-token";
const cookieRules = "; path=/lab/steal-by-script; samesite=strict";

const cookies = () => document.cookie.split("; ").filter(Boolean);
const named = (name) => cookies().find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";

function stored() {
  try {
    return localStorage.getItem(storageName) ?? "";
  } catch {
    return ""; // forbidden: then nothing is there
  }
}

function put() {
  const value = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  document.cookie = `${cookieName}=${value}${cookieRules}; max-age=600`;
  try {
    localStorage.setItem(storageName, value);
  } catch {
    // forbidden
  }
}

function clear() {
  document.cookie = `${cookieName}=${cookieRules}; max-age=0`;
  try {
    localStorage.removeItem(storageName);
  } catch {
    // forbidden
  }
}

class Theft extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.onclick = (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if ("put" in button.dataset) this.putThere();
      else if ("steal" in button.dataset) this.steal();
      else if ("clear" in button.dataset) this.clearAway();
    };
    this.dress();
  }

  // dress offers what can be done as things stand.
  dress() {
    const there = Boolean(named(cookieName) || stored());
    this.querySelector("[data-clear]").disabled = !there;
  }

  tell(text) {
    this.querySelector("[data-told]").textContent = text;
  }

  putThere() {
    put();
    this.forget();
    this.dress();
    this.tell("The values are there. Your browser’s own tools show them too, beside the session.");
  }

  clearAway() {
    clear();
    this.forget();
    this.querySelector("[data-put]").focus(); // this button cannot be pressed any more
    this.dress();
    this.tell("Cleared away. Nothing is left of it in your browser.");
  }

  // steal does what any script could do that runs on this page.
  async steal() {
    const hidden = this.dataset.hidden.split(" ");
    const seen = hidden.map(named).join("");
    this.show("cookie", named(cookieName));
    this.show("storage", stored());
    this.list(hidden);
    if (seen) {
      this.show("session", seen);
      return this.tell("The script has read the session itself.");
    }
    this.say("session", (await this.arrives()) ? "kept" : "missing");
    const found = Boolean(named(cookieName)) + Boolean(stored());
    this.tell(found ? `The script has read ${found} of 3 places. The session was not among them.` : "The script has found nothing at all.");
  }

  // arrives asks the site whether the cookie comes along that no script sees.
  async arrives() {
    try {
      const page = new DOMParser().parseFromString(await (await fetch(location.href, { headers: { Accept: "text/html" } })).text(), "text/html");
      return Boolean(page.querySelector("lab-theft")?.dataset.arrived);
    } catch {
      return false;
    }
  }

  show(place, value) {
    this.say(place, value ? "reads" : "missing");
    if (value) this.querySelector(`[data-place=${place}] [data-when=reads] [data-characters]`).textContent = value.length;
  }

  // say shows the one thing that is so of a place.
  say(place, what) {
    for (const verdict of this.querySelectorAll(`[data-place=${place}] [data-when]`)) verdict.hidden = verdict.dataset.when !== what;
  }

  // list shows what was found, of what is this site's: there may be cookies of other
  // programs on this host, and who looks over a shoulder need not see them.
  list(hidden) {
    const loot = this.querySelector("[data-loot]");
    const ours = cookies().filter((cookie) => /^(__Host-)?lectern-/.test(cookie));
    const others = cookies().length - ours.length;
    const shown = ours.map((cookie) => (hidden.some((name) => cookie.startsWith(`${name}=`)) ? `${cookie.split("=")[0]}=…` : cookie));
    const lines = [`document.cookie\n  ${shown.join("\n  ") || "(nothing of this site)"}`];
    if (others) lines.push(`  and ${others} of other programs on this host, not shown here`);
    lines.push(`localStorage\n  ${stored() ? `${storageName}=${stored()}` : "(nothing of this page)"}`);
    loot.querySelector("code").textContent = lines.join("\n");
    loot.hidden = false;
  }

  forget() {
    for (const place of this.querySelectorAll("[data-place]")) this.say(place.dataset.place, "waits");
    this.querySelector("[data-loot]").hidden = true;
  }
}

if (location.pathname === "/lab/steal-by-script") clear(); // in case the last visit broke off
customElements.define("lab-theft", Theft);

// Nothing stays behind: not when the page is left, and not when it is reset.
addEventListener("pagehide", () => document.querySelector("lab-theft") && clear());
document.addEventListener("submit", (event) => event.target.action?.endsWith?.("/reset") && clear());
addEventListener("pageshow", (event) => {
  const theft = document.querySelector("lab-theft");
  if (!event.persisted || !theft) return;
  theft.forget();
  theft.dress();
});

// ── What has come from the other site ──

class Elsewhere extends HTMLElement {
  connectedCallback() {
    this.leave = new AbortController();
    const on = (target, type, act) => target.addEventListener(type, act, { signal: this.leave.signal });
    on(document, "visibilitychange", () => document.visibilityState === "visible" && this.look());
    on(window, "focus", () => this.look());
    on(window, "pageshow", (event) => event.persisted && this.look());
    on(this, "submit", (event) => {
      event.preventDefault();
      this.look(true);
    });
  }

  disconnectedCallback() {
    this.leave.abort();
  }

  // look fetches what is known by now, and exchanges no more than that, so that
  // whoever comes back finds the link that they left by.
  async look(asked) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const news = [];
      for (const result of this.querySelectorAll("[data-result]")) {
        const fresh = page.querySelector(`[data-result=${result.dataset.result}]`);
        if (!fresh || fresh.innerHTML === result.innerHTML) continue;
        result.replaceChildren(...document.importNode(fresh, true).childNodes);
        news.push(result.querySelector("h4").textContent.trim());
      }
      if (news.length || asked) this.querySelector("[data-told]").textContent = news.join(". ") || "Nothing new has come.";
    } catch {
      if (asked) this.querySelector("form").submit(); // the ordinary way says what is wrong
    }
  }
}

customElements.define("lab-elsewhere", Elsewhere);
