// The live page: takes in what the server sends, and sends what buttons ask for.
// Text of others goes through textContent; HTML comes from our own server, which escapes it.
"use strict";

(() => {
  const id = (name) => document.getElementById(name);
  const words = JSON.parse(document.body.dataset.words || "{}");
  const say = (text, fields = {}) =>
    (words[text] || text).replace(/\{(\w+)\}/g, (whole, name) => fields[name] ?? whole);
  const lost = id("-lost"), dialog = id("-dialog");
  const claude = id("-claude"), said = id("-claude-text"), attempt = id("-attempt");
  const HIDDEN_SECONDS = 60, RETRY_SECONDS = [1, 2, 5, 10];

  let position = document.body.dataset.position;
  let source = null, tries = 0, isOver = false, timer = 0;
  let followed = "", chosen = 0, opener = null;
  let activities = {};

  // -- the parts of the page ----------------------------------------------------------------

  const placeOf = (name) =>
    [...document.querySelectorAll("[data-part]")].find((each) => each.dataset.part === name);

  // What the reader opened, and where the focus is, survives a new version of a part.
  const signature = (element) =>
    element.id || element.dataset.action || element.dataset.claude || element.textContent;

  function replace(place, html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    const open = [...place.querySelectorAll("details")].map((each) => each.open);
    const scrolled = [...place.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
    const active = place.contains(document.activeElement) ? document.activeElement : null;
    const before = active && [active.tagName, signature(active)];
    const had = place.firstElementChild !== null;
    place.replaceChildren(template.content);
    const details = [...place.querySelectorAll("details")];
    if (had && details.length >= open.length)
      details.forEach((each, number) => { each.open = each.open || Boolean(open[number]); });
    place.querySelectorAll(".scroll").forEach((each, number) => {
      each.scrollLeft = scrolled[number] || 0;
    });
    if (before) {
      const all = [...place.querySelectorAll("a,button,summary,[tabindex]")];
      const same = all.find((each) => each.tagName === before[0] && signature(each) === before[1]);
      (same || all[0])?.focus({ preventScroll: true });
    }
    show(place.dataset.part);
  }

  function arrange(lists) {
    document.title = lists.title;
    for (const section of document.querySelectorAll("main > section[id]")) {
      const list = section.querySelector(":scope > .list");
      if (!list) continue;
      const names = lists[section.id] || [];
      let at = list.firstElementChild;
      for (const name of names) {
        let place = placeOf(name);
        if (!place) {
          place = document.createElement("div");
          place.dataset.part = name;
        }
        if (place === at) at = at.nextElementSibling;
        else {
          const active = place.contains(document.activeElement) ? document.activeElement : null;
          list.insertBefore(place, at);
          active?.focus({ preventScroll: true });
        }
      }
      section.hidden = names.length === 0;
    }
    const known = new Set(["-active", "-failures", "-others"].flatMap((name) => lists[name] || []));
    for (const place of document.querySelectorAll(".list > [data-part]"))
      if (!known.has(place.dataset.part)) place.remove();
  }

  // -- what Claude does ---------------------------------------------------------------------

  const seconds = (count) =>
    count < 60 ? `${count}s` : count < 3600 ? `${Math.floor(count / 60)}m` :
      `${Math.floor(count / 3600)}h${String(Math.floor(count / 60) % 60).padStart(2, "0")}m`;

  const tokens = (count) => (count < 1000 ? `${count}` : `${Math.round(count / 1000)}k`);

  function show(feature) {
    const line = placeOf(feature)?.querySelector(".now");
    if (!line) return;
    const now = activities[feature];
    line.replaceChildren();
    if (!now || !now.action) return;
    const action = document.createElement("code");
    action.textContent = now.action;
    const silent = Math.floor(Date.now() / 1000 - now.at);
    const parts = [];
    if (now.turns) parts.push(say(now.turns === 1 ? "1 turn" : "{count} turns", { count: now.turns }));
    if (now.tokens) parts.push(say("{count} tokens", { count: tokens(now.tokens) }));
    if (now.at && silent >= 60) parts.push(say("no output for {time}", { time: seconds(silent) }));
    line.append(action, ` ${parts.join(" · ")}`);
  }

  function follow(feature, button) {
    if (button) opener = button;
    followed = feature;
    chosen = 0;
    claude.hidden = !feature;
    document.body.classList.toggle("beside", Boolean(feature));
    said.replaceChildren();
    attempt.replaceChildren();
    if (feature) {
      id("-claude-of").textContent = feature;
      said.focus({ preventScroll: true });
    } else {
      (placeOf(opener?.dataset.claude)?.querySelector("[data-claude]") || opener)?.focus();
    }
    connect();
  }

  function tell(message) {
    if (message.feature !== followed) return;
    const atEnd = said.scrollHeight - said.scrollTop - said.clientHeight < 40;
    if (message.anew) {
      said.replaceChildren();
      attempt.replaceChildren(...message.attempts.map((number) =>
        new Option(number, number, number === message.attempt, number === message.attempt)));
      if (message.cut) {
        const command = `rorchestrator logs ${followed}`;
        addLine([["dim", say("The beginning is left out: {command}", { command })]]);
      };
    }
    for (const line of message.lines) addLine(line);
    if (message.anew && !message.lines.length) addLine([["dim", say("Claude has printed nothing yet.")]]);
    while (said.childElementCount > 1500) said.firstElementChild.remove();
    if (atEnd || message.anew) said.scrollTop = said.scrollHeight;
  }

  function addLine(parts) {
    const line = document.createElement("span");
    for (const [tone, text] of parts) {
      const part = tone ? document.createElement("span") : null;
      if (part) {
        part.className = `tone-${tone}`;
        part.textContent = text;
      }
      line.append(part || text);
    }
    line.append("\n");
    said.append(line);
  }

  // -- the connection -----------------------------------------------------------------------

  function complain(words) {
    lost.textContent = words;
    lost.hidden = !words;
  }

  function connect() {
    clearTimeout(timer);
    source?.close();
    source = null;
    if (isOver) return;
    const query = new URLSearchParams({ since: position });
    if (followed) query.set("follow", followed);
    if (chosen) query.set("attempt", chosen);
    const mine = source = new EventSource(`/events?${query}`);
    const on = (kind, act) => mine.addEventListener(kind, (event) => {
      if (mine !== source) return;
      if (event.lastEventId) position = event.lastEventId;
      act(JSON.parse(event.data));
    });
    on("hello", () => {
      tries = 0;
      complain("");
      // What ended while this page did not listen is not told any more.
      const before = Object.keys(activities);
      activities = {};
      before.forEach(show);
    });
    on("part", (part) => { const place = placeOf(part.id); if (place) replace(place, part.html); });
    on("arrange", arrange);
    on("activity", (news) => {
      activities = { ...activities, ...news };
      Object.keys(news).forEach(show);
    });
    on("claude", tell);
    on("end", () => {
      isOver = true;
      mine.close();
      const command = "rorchestrator web";
      complain(say("This page has ended and shows the last state. For a new one, type: {command}", { command }));
    });
    mine.onerror = () => { if (mine === source) again(); };
  }

  async function again() {
    source?.close();
    source = null;
    complain(say("Connection lost. This page shows the last known state and tries to connect again …"));
    let status = 0;
    try {
      status = (await fetch("/icon.svg", { cache: "no-store" })).status;
    } catch { /* nobody answers */ }
    if (status === 401)
      complain(say("The server was started anew and does not know this page: open the address that it printed."));
    const wait = RETRY_SECONDS[Math.min(tries++, RETRY_SECONDS.length - 1)];
    clearTimeout(timer);
    timer = setTimeout(connect, status === 200 ? 250 : wait * 1000);
  }

  // A browser allows six connections to a server: a page that nobody sees gives its own back.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) { if (!source) connect(); }
    else timer = setTimeout(() => { source?.close(); source = null; }, HIDDEN_SECONDS * 1000);
  });

  // -- buttons ------------------------------------------------------------------------------

  function ask(words, { command = "", yes = "", no = say("Close") } = {}) {
    id("-dialog-text").textContent = words;
    id("-dialog-command").hidden = !command;
    id("-dialog-command").querySelector("code").textContent = command;
    id("-copy").textContent = say("Copy");
    id("-yes").textContent = yes;
    id("-yes").hidden = !yes;
    id("-no").textContent = no;
    dialog.returnValue = "";
    dialog.showModal();
    (yes ? id("-yes") : command ? id("-copy") : id("-no")).focus();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  id("-yes").onclick = () => dialog.close("yes");
  id("-no").onclick = () => dialog.close();
  id("-copy").onclick = async () => {
    const code = id("-dialog-command").querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      id("-copy").textContent = say("Copied");
    } catch {
      getSelection().selectAllChildren(code);
    }
  };

  async function press(button) {
    const { action, feature, question, command } = button.dataset;
    const verb = button.firstChild.textContent;
    if (!action) {
      await ask(say("No run is in progress. Type in a terminal:"), { command });
      return;
    }
    if (question && !(await ask(question, { yes: verb, no: say("Keep going") }))) return;
    button.disabled = true;
    try {
      const answer = await fetch("/requests", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-RoRchestrator": document.body.dataset.csrf },
        body: JSON.stringify({ action, feature }),
      });
      const isReply = answer.headers.get("Content-Type") === "application/json";
      const reply = isReply ? await answer.json() : { text: await answer.text() };
      if (!answer.ok) await ask([reply.text, reply.hint].filter(Boolean).join(" – "), { command });
    } catch {
      await ask(say("The server does not answer. Type in a terminal:"), { command });
    }
    button.disabled = false;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.command) press(button);
    else if (button?.dataset.claude) follow(button.dataset.claude, button);
  });
  id("-claude-close").onclick = () => follow("");
  attempt.onchange = () => { chosen = Number(attempt.value); connect(); };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !dialog.open && followed) follow("");
  });

  setInterval(() => Object.keys(activities).forEach(show), 10000);
  connect();
})();
