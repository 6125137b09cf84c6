// The choices of a website's visitor: asks, remembers, obeys. See docs/snippet.md.
// ES2017, no dependencies, no cookie. It is served without these comments and
// without indentation, so a line must not end inside a string or a template.
(() => {
  "use strict";
  const me = document.currentScript, words = /*words*/ {};
  // An element of the page that has this name would lead all questions elsewhere.
  if (!(me instanceof HTMLScriptElement)) return;
  const set = me.dataset;
  const lang = set.lang || document.documentElement.lang || navigator.language;
  const say = words[lang] || words[lang.slice(0, 2)] || Object.values(words)[0];
  const gpc = !!navigator.globalPrivacyControl;

  // What this browser keeps: id (the visitor), gpc (the signal was posted), later
  // (when "not now" was said), todo (choices that have not reached the server).
  let state = {}, kept;
  const keep = () => {
    try {
      localStorage.setItem("rightsdesk", JSON.stringify(state));
    } catch (e) {
      kept = false; // blocked: everything works for this view of the page
    }
  };
  const recall = () => {
    try {
      kept = true;
      state = Object(JSON.parse(localStorage.getItem("rightsdesk")));
    } catch (e) {
      kept = e.name == "SyntaxError"; // somebody else wrote there
    }
  };
  recall();

  const call = (path, body, key) =>
    fetch(new URL("v1/" + path, me.src), {
      method: body ? "POST" : "GET",
      body: body && JSON.stringify(body),
      headers: body && {"Content-Type": "application/json", "Idempotency-Key": key || fresh()},
      keepalive: !!body, // a choice arrives although its page is left
    }).then(r => (r.ok ? r.json() : Promise.reject(r.status)));
  const fresh = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
  const known = a => {
    state.id = a.visitor || state.id;
    keep();
  };
  const who = () => (state.id ? {type: "anonymous", value: state.id} : undefined);
  const place = set.residence || undefined;

  let offer, stands = {}, loading;
  const may = purpose => !!(stands[purpose] && stands[purpose].may);
  const agreed = p => may(p.purpose) && stands[p.purpose].why == "consent";
  // A consent is withdrawn; what is on by itself, or was never asked for, is refused.
  const no = p => (agreed(p) ? "withdrawn" : "denied");

  // The page asks about what it uses: its tags' purposes and those in data-purposes.
  const tags = () => [...document.querySelectorAll('script[type="text/plain"][data-purpose]')];
  const used = () => tags().map(t => t.dataset.purpose).concat((set.purposes || "").split(/[\s,]+/));
  let asked;
  const listed = () => offer.purposes.filter(p => p.required || asked.includes(p.purpose) || agreed(p));

  const load = async () => {
    if (document.readyState == "loading") await new Promise(r => document.addEventListener("DOMContentLoaded", r));
    asked = used();
    document.body.append(host);
    offer = await call("choices?lang=" + encodeURIComponent(lang) + (place ? "&residence=" + place : ""));
    await send().catch(() => 0);
    if (kept && !state.gpc && stopping())
      await call("signals", {subject: who(), signals: {gpc}}).then(a => {
        state.gpc = 1;
        known(a);
      }, () => 0);
    await decide();
    const open = offer.purposes.some(p => asked.includes(p.purpose) && stands[p.purpose].ask);
    if (open && !(state.later > Date.now() - 864e5)) show(false);
  };

  // decide asks the server what is allowed: it knows of opt-outs made elsewhere.
  // The header alone is a signal, too: not everything that sends it sets the property.
  const stopping = () => offer.honoured || (gpc && offer.signals.gpc == "honoured");
  const decide = async () => {
    const all = offer.purposes, stopped = stopping() || offer.halted, now = {};
    const found = state.id
      ? (await call("decisions", {subject: who(), purposes: all.map(p => p.purpose), residence: place, signals: {gpc}}).catch(e => {
          if (e == 400) state.id = state.gpc = ""; // it is none of theirs: everything begins anew
          keep();
          throw e;
        })).decisions
      : all.map(p => ({purpose: p.purpose, may: p.default == "on" && (p.required || !stopped), ask: !(p.required || stopped)}));
    found.forEach(d => (now[d.purpose] = d));
    stands = now;
    (state.todo || []).forEach(t => obey(t.choices));
    obey(Object.values(said)); // an answer may be older than what was said while it was on its way
    run();
    foot();
    document.dispatchEvent(new CustomEvent("rightsdesk"));
  };
  // A refusal counts before the server has it; a consent only after.
  const said = {}; // the last word about each purpose, on this view of the page
  const obey = choices =>
    choices.forEach(c => {
      said[c.purpose] = c;
      if (c.choice != "granted") stands[c.purpose] = {may: false};
    });

  const run = () =>
    tags().forEach(t => {
      if (!may(t.dataset.purpose)) return;
      const s = document.createElement("script");
      [...t.attributes].forEach(a => a.name != "type" && s.setAttribute(a.name, a.value));
      s.async = t.hasAttribute("async");
      s.nonce = t.nonce;
      if (t.dataset.src) s.src = t.dataset.src;
      else s.text = t.text;
      t.replaceWith(s);
    });

  const choose = async list => {
    recall(); // another tab may have written
    const choices = list.map(([p, choice]) => ({purpose: p.purpose, choice, wording: p.hash}));
    obey(choices);
    delete state.later;
    // What has not arrived yet is no longer what they want: sent after this it would be the last word.
    state.todo = (state.todo || []).filter(t => {
      const rest = t.choices.filter(c => !list.some(l => l[0].purpose == c.purpose));
      if (t.choices[rest.length]) t.key = fresh(); // another body wants another key
      t.choices = rest;
      return rest.length;
    });
    // Refusals go by themselves, and first: nothing that is wrong with a consent may hold them up.
    for (const yes of [false, true]) {
      const part = choices.filter(c => (c.choice == "granted") == yes);
      if (part.length) state.todo.push({key: fresh(), choices: part, language: offer.language, page: location.origin + location.pathname});
    }
    keep();
    foot(say.done);
    try {
      await send();
      await decide();
    } catch (e) {
      foot(say.failed); // the next view of a page sends it again
    }
  };
  let sent = Promise.resolve();
  const send = () => (sent = sent.catch(() => 0).then(flush)); // one after the other
  const flush = async () => {
    const tried = {};
    let t, fault;
    while ((t = (state.todo || []).find(t => !tried[t.key]))) {
      const {key, choices, language, page} = t;
      tried[key] = 1;
      try {
        known(await call("consents", {subject: who(), choices, method: "banner", language, page, residence: place}, key));
      } catch (e) {
        if (!(e >= 400 && e < 500) || e == 429) {
          fault = e;
          continue;
        }
        // The words are others by now. What was refused is refused all the same.
        if (choices[0].wording && choices[0].choice != "granted")
          state.todo.push({key: fresh(), choices: choices.map(c => ({purpose: c.purpose, choice: c.choice})), language, page});
      }
      state.todo = state.todo.filter(t => t.key != key);
      keep();
    }
    if (fault) throw fault;
  };

  const ready = () => loading || (loading = load().catch(() => (loading = 0)));
  const open = async () => {
    await ready();
    if (offer) show(true);
  };
  const given = () => offer.purposes.filter(agreed);
  const withdraw = async () => {
    await ready();
    if (offer) await choose(given().map(p => [p, "withdrawn"]));
  };

  // What is seen. Nothing of the page's style reaches in, and no policy against
  // inline styles is touched: the sheet is constructed.
  const make = (tag, text, more) => Object.assign(document.createElement(tag), {textContent: text || ""}, more);
  const button = (text, onclick) => make("button", text, {type: "button", onclick});
  const host = make("div"), root = host.attachShadow({mode: "open"});
  const dialog = make("dialog"), line = make("p"), status = make("span"), honoured = make("b", say.honoured, {hidden: true});
  const opener = button(say.open, open), undo = button(say.withdraw, withdraw);
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(":host{all:initial;color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;color:CanvasText}*{box-sizing:border-box;font:inherit}dialog{position:fixed;inset:auto 0 0;margin:0 auto;max-width:40rem;width:100%;max-height:90vh;overflow:auto;padding:1.25rem;border:2px solid;border-radius:10px 10px 0 0;z-index:2147483647;background:Canvas;color:CanvasText}h2{font-weight:700;font-size:1.25em;margin:0}h2:focus{outline:0}p{margin:.5em 0}label{display:grid;grid-template-columns:1.3em 1fr;gap:0 .75em;padding:.5em 0;border-top:1px solid GrayText}input{width:1.3em;height:1.3em;margin:.15em 0}b{font-weight:700}small{grid-column:2}button{background:Canvas;color:CanvasText;border:2px solid;border-radius:8px;padding:.6em 1em;min-height:44px;cursor:pointer}button:hover{text-decoration:underline}div{display:grid;grid-template-columns:repeat(auto-fit,minmax(9em,1fr));grid-auto-rows:1fr;gap:.5em;margin:.5em 0}.l{padding:0 1em}.l button,.x{border:0;padding:0 .5em;text-decoration:underline}.x{padding:0}");
    root.adoptedStyleSheets = [sheet];
  } catch (e) {} // an older browser shows it plain
  line.className = "l";
  status.setAttribute("role", "status");
  line.append(status, honoured, opener, undo);
  root.append(line, dialog);
  dialog.setAttribute("role", "dialog");
  dialog.setAttribute("aria-labelledby", "t");

  // foot says what stands, below everything else. Its buttons stay the same ones,
  // so that the focus can come back to them.
  const own = what => !document.querySelector('[data-rightsdesk="' + what + '"]');
  const foot = text => {
    if (text) status.textContent = text;
    const lost = root.activeElement == undo;
    honoured.hidden = !stopping();
    opener.hidden = !own("open");
    undo.hidden = !own("withdraw") || !given().length;
    if (lost && undo.hidden) opener.focus();
  };
  const later = () => {
    state.later = Date.now();
    keep();
    dialog.close(); // and the focus is where it was before
  };
  const show = modal => {
    if (dialog.open) dialog.close();
    dialog.textContent = "";
    const boxes = [], title = make("h2", say.title, {id: "t", tabIndex: -1}), row = make("div");
    dialog.append(title, make("p", honoured.hidden ? say.text : say.honoured));
    listed().forEach(p => {
      const label = make("label"), box = p.required ? make("b", "✓") : make("input", "", {type: "checkbox", checked: may(p.purpose)});
      if (!p.required) boxes.push([p, box]);
      label.append(box, make("b", p.label + (p.required ? " – " + say.always : "")), make("small", p.wording));
      dialog.append(label);
    });
    const answer = yes => button(yes[0], () => {
      dialog.close();
      choose(boxes.map(([p, box]) => [p, yes[1](box) ? "granted" : no(p)]));
    });
    row.append(answer([say.none, () => 0]), answer([say.save, box => box.checked]), answer([say.all, () => 1]));
    dialog.append(row, button(say.later, later));
    dialog.lastChild.className = "x";
    if (modal) dialog.showModal();
    else dialog.setAttribute("open", "");
    // Whoever is typing somewhere is left alone.
    if (modal || document.activeElement == document.body) title.focus();
  };
  dialog.addEventListener("keydown", e => {
    if (e.key != "Escape") return;
    e.preventDefault();
    later();
  });

  window.rightsdesk = {open, withdraw, may, visitor: () => state.id};
  document.addEventListener("click", e => {
    const t = e.target.closest && e.target.closest("[data-rightsdesk]"), does = t && {open, withdraw}[t.dataset.rightsdesk];
    if (!does) return;
    e.preventDefault();
    does();
  });
  ready();
})();
