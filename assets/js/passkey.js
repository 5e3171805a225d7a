// Passkeys. The browser asks the device and puts what it says into a form, which is
// sent in the ordinary way, so that the site answers as it answers any form. The
// markup is described in README.md beside this file. Without this script, or in a
// browser without passkeys, the text that stands in place of the buttons stays.

const buttons = [...document.querySelectorAll("button[data-passkey]")];
const able = typeof window.PublicKeyCredential === "function" && Boolean(navigator.credentials);

for (const button of buttons) {
  const box = button.closest("[data-passkey-box]");
  if (!able) {
    box.querySelector("[data-passkey-without]").textContent = "This browser has no passkeys. Any other way in works as before.";
    continue;
  }
  for (const part of box.querySelectorAll("[data-passkey-with]")) part.hidden = false;
  box.querySelector("[data-passkey-without]").hidden = true;
  button.addEventListener("click", (event) => {
    event.preventDefault();
    press(button);
  });
}

// ── The question and the answer ──

// One question is open at a time; browsers refuse a second. Whatever is open is
// given up for the next.
let open = null;

async function replaceOpen() {
  const before = open;
  const mine = (open = { give: new AbortController() });
  before?.give.abort();
  await before?.done;
  return mine;
}

async function press(button) {
  const form = button.form;
  const creates = button.dataset.passkey === "create";
  if (button.getAttribute("aria-busy") === "true" || (creates && !form.reportValidity())) return;
  button.setAttribute("aria-busy", "true");
  say(button, "Asking your device…");
  const mine = await replaceOpen();
  mine.done = (async () => {
    try {
      const asked = await question(button, mine.give.signal);
      send(button, asked, await answer(creates, asked.options, mine));
    } catch (problem) {
      say(button, words(problem, creates, mine));
      return true;
    } finally {
      button.removeAttribute("aria-busy");
    }
  })();
  if (await mine.done && open === mine) suggest(button);
}

// question fetches what is to be asked. Each is good for one answer.
async function question(button, signal) {
  const flow = button.form.elements.flow?.value;
  let reply;
  try {
    reply = await fetch(button.dataset.options, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(flow ? { flow } : {}),
      signal,
    });
  } catch (problem) {
    throw signal.aborted ? problem : new Told("The site cannot be reached. Nothing was lost; try again in a moment.");
  }
  let said = null;
  try {
    said = await reply.json();
  } catch {
    // what it says instead is for people, and longer than a line
  }
  if (reply.ok && said?.options) return said;
  const wait = reply.headers.get("Retry-After");
  throw new Told((said?.detail || `The site would not ask your passkey (${reply.status}). Load the page again, or use another way.`) + (wait ? ` Try again in ${wait} seconds.` : ""));
}

// answer asks the device. Browsers do not tell whether it was cancelled or took too
// long, so our own clock stops it at the time that the site gives, a little before
// the browser would.
async function answer(creates, given, mine, mediation) {
  const time = given.timeout || 300_000;
  const options = { ...given, timeout: time + 5000 };
  const clock = setTimeout(() => ((mine.late = true), mine.give.abort()), time);
  const ask = { signal: mine.give.signal, ...(mediation ? { mediation } : {}) };
  try {
    return creates
      ? await navigator.credentials.create({ ...ask, publicKey: creation(options) })
      : await navigator.credentials.get({ ...ask, publicKey: request(options) });
  } finally {
    clearTimeout(clock);
  }
}

function send(button, asked, credential) {
  const form = button.form;
  const field = form.elements["passkey-answer"];
  field.value = JSON.stringify(plain(credential));
  const number = form.elements.flow;
  const before = number?.value;
  if (asked.flow && number) number.value = asked.flow;
  // It is none of the form's own buttons, so none of them is what Enter presses.
  const sender = document.createElement("button");
  sender.hidden = sender.formNoValidate = true;
  if (button.dataset.action) sender.formAction = button.dataset.action;
  form.append(sender);
  // A password that the browser filled in is not needed where a passkey is.
  const secrets = [...form.elements].filter((one) => one.type === "password" && !one.disabled);
  for (const secret of secrets) secret.disabled = true;
  form.requestSubmit(sender);
  // What is sent is settled by now, and the form is as it was for whoever comes back.
  for (const secret of secrets) secret.disabled = false;
  sender.remove();
  field.value = "";
  if (number) number.value = before;
  say(button, "Your device has answered. One moment…");
}

// ── Suggestions under the e-mail field ──

// suggest keeps a question open for as long as the page is, without showing anything
// but the passkeys among what the browser suggests in the field that is marked
// "webauthn". A question that is too old is asked anew.
async function suggest(button) {
  if (!("passkeyAutofill" in button.dataset) || open?.suggests) return;
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  if (button.getAttribute("aria-busy") === "true") return;
  const mine = await replaceOpen();
  mine.suggests = true;
  mine.done = (async () => {
    try {
      const asked = await question(button, mine.give.signal);
      send(button, asked, await answer(false, asked.options, mine, "conditional"));
    } catch (problem) {
      if (mine.late) return true;
      // Nobody pressed anything, so nobody is told that nothing came of it, unless
      // somebody chose a passkey and it did not work.
      if (!mine.give.signal.aborted && !(problem instanceof Told)) say(button, words(problem, false, mine));
    }
  })();
  if (await mine.done && open === mine) {
    mine.suggests = false;
    suggest(button);
  }
}

if (able) for (const button of buttons) suggest(button);

// Coming back by the browser's own button finds the page as it was left.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted || !able) return;
  open = null;
  for (const button of buttons) {
    button.removeAttribute("aria-busy");
    say(button, "");
    suggest(button);
  }
});

// ── What is said ──

// Told is a problem that the site has told in words.
class Told extends Error {}

function say(button, text) {
  button.closest("[data-passkey-box]").querySelector("[role=status]").textContent = text;
}

function words(problem, creates, mine) {
  if (problem instanceof Told) return problem.message;
  if (mine.late) return "That took too long, so it was given up. Nothing was changed; press the button to ask again.";
  if (mine.give.signal.aborted) return "";
  switch (problem.name) {
    case "NotAllowedError":
      return creates
        ? "No passkey was made: it was cancelled, or your device did not make sure that it is you. Nothing was changed; press the button to try again."
        : "No passkey was used: it was cancelled, or there is none for this site here. Browsers do not say which. Press the button to try again, or use another way.";
    case "AbortError":
      return "It was cancelled. Nothing was changed; press the button to try again.";
    case "InvalidStateError":
      return "This device holds a passkey of yours for this site already, so there is none to add. Choose another device, or remove the old one first.";
    case "ConstraintError":
    case "NotSupportedError":
      return "This device cannot keep a passkey, or cannot make sure that it is you. Set up a PIN, finger or face on it, or choose another device.";
    case "SecurityError":
      return "The browser allows no passkeys at this address. Open the site under its own name, over https or as localhost, and try again there.";
  }
  return "The browser could not ask your device. Nothing was changed; try again, or use another way.";
}

// ── JSON, for browsers that do not read and write it themselves ──

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const descriptors = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));

function creation(options) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: descriptors(options.excludeCredentials),
  };
}

function request(options) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return { ...options, challenge: bytes(options.challenge), allowCredentials: descriptors(options.allowCredentials) };
}

function plain(credential) {
  if (credential.toJSON) {
    try {
      return credential.toJSON();
    } catch {
      // some password managers put their own object here, whose toJSON is not theirs
    }
  }
  const said = credential.response;
  const response = { clientDataJSON: text(said.clientDataJSON) };
  if (said.attestationObject) {
    response.attestationObject = text(said.attestationObject);
    response.transports = said.getTransports?.() ?? [];
  } else {
    response.authenticatorData = text(said.authenticatorData);
    response.signature = text(said.signature);
    if (said.userHandle) response.userHandle = text(said.userHandle);
  }
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}
