// Keeps the demo page fresh and sends without a reload. The page works the same without it.
"use strict";

const EVERY_MS = 2000;
let version = Number(document.body.dataset.version);

function show(news) {
  version = Math.max(version, news.version);
  document.getElementById("code").textContent = news.code;
  for (const [name, html] of Object.entries(news.phones)) {
    const roll = document.querySelector(`[data-phone="${name}"]`);
    roll.innerHTML = html; // rendered and escaped by the server; nosemgrep: html-written-by-script
    roll.parentElement.scrollTop = 0; // the screen is laid out from its end
  }
}

async function ask(url, options) {
  const answer = await fetch(url, { ...options, headers: { Accept: "application/json" } });
  if (answer.ok) show(await answer.json());
  return answer.ok;
}

async function send(form, button) {
  const fields = new URLSearchParams(new FormData(form, button));
  const input = form.querySelector("input[name=text]");
  const typed = input ? input.value : "";
  if (input) input.value = ""; // at once: what is typed while the answer is on its way stays
  button.disabled = true;
  let sent = false;
  try {
    const url = `${form.getAttribute("action")}?after=${version}`;
    sent = await ask(url, { method: "POST", body: fields });
  } finally {
    button.disabled = false;
    if (input) {
      if (!sent && !input.value) input.value = typed;
      input.focus();
    }
  }
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, event.submitter || event.target.querySelector("button"));
});

setInterval(() => {
  if (!document.hidden) ask(`/demo/messages?after=${version}`).catch(() => {});
}, EVERY_MS);
