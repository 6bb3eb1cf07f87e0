// The two WebAuthn ceremonies. A button with data-passkey="sign-in" or "add" starts one; what it posts to is named by
// data-begin and data-finish, and the page goes to where the answer says.
(() => {
  const post = async (address, body) => {
    const answer = await fetch(address, {
      method: "POST", headers: { "Content-Type": "application/json", "Accept": "application/json" }, body: JSON.stringify(body),
    });
    const content = await answer.json();
    if (!answer.ok) throw new Error(content.detail || answer.statusText);
    return content;
  };
  const ceremonies = {
    "sign-in": async (options) => navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey),
    }),
    "add": async (options) => navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey),
    }),
  };
  const run = async (button) => {
    const out = document.getElementById(button.getAttribute("aria-describedby"));
    const name = document.getElementById(button.dataset.name || "");
    button.disabled = true;
    out.textContent = "";
    try {
      const begun = await post(button.dataset.begin, {});
      const credential = await ceremonies[button.dataset.passkey](begun.options);
      const done = await post(button.dataset.finish, { state: begun.state, name: name ? name.value : "", credential: credential.toJSON() });
      location.assign(done.next);
    } catch (fault) {
      out.textContent = fault.name === "NotAllowedError" ? button.dataset.cancelled : fault.message;
      button.disabled = false;
    }
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-passkey]");
    if (button) run(button);
  });
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) {
    for (const button of document.querySelectorAll("button[data-passkey]")) button.disabled = true;
  }
})();
