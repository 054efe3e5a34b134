"use strict";
// Draws one session from the data block. All that is in it is strangers' text, so it goes in by textContent only.
// Rows are made in slices, the first ones at once; what a row hides is made when it is opened.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const LONGEST = 4000, CHUNK = 100, AT_ONCE = 400, SLICE = 1500, MANY = 500;
  const KINDS = { message: "messages", llm: "LLM", action: "actions", guardrail: "guardrails", groundedness: "groundedness", topic: "topics", other: "other steps" };
  const LABELS = { user: "user", agent: "agent", message: "message", llm: "LLM", action: "action", guardrail: "guardrail", groundedness: "grounded?", topic: "topic" };
  const make = (tag, kind, text) => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text !== undefined && text !== null) element.textContent = text;
    return element;
  };
  const textOf = (place) => data.texts[place];
  const digits = new Intl.NumberFormat("en"); // one for all: a page shows thirty thousand numbers
  const number = (value) => digits.format(value);
  const ms = (value) => value === null || value === undefined ? "–" : number(value) + " ms";
  const firstLine = (text) => { const line = text.slice(0, 300); return line.length < text.length ? line + "…" : line; };

  const longText = (title, place) => {
    const frame = document.createDocumentFragment();
    frame.append(make("h4", "", title));
    const text = textOf(place);
    const block = make("pre", "", text.length > LONGEST ? text.slice(0, LONGEST) + "…" : text);
    block.dir = "auto";
    block.tabIndex = 0;
    frame.append(block);
    if (text.length > LONGEST) {
      const more = make("button", "", "Show all " + number(text.length) + " characters");
      more.type = "button";
      more.addEventListener("click", () => { block.textContent = text; more.remove(); block.focus(); });
      frame.append(more);
    }
    return frame;
  };
  const tableOf = (caption, headings, rows) => {
    const table = make("table");
    table.append(make("caption", "", caption));
    const head = table.createTHead().insertRow();
    for (const [label, isNumber] of headings) { const cell = make("th", isNumber ? "number" : "", label); cell.scope = "col"; head.append(cell); }
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      row.forEach((value, place) => {
        const cell = make(place ? "td" : "th", headings[place][1] ? "number" : "");
        if (place === 0) cell.scope = "row";
        if (value instanceof Node) cell.append(value);
        else if (headings[place][1]) { cell.textContent = value === null || value === undefined ? "–" : number(value); cell.setAttribute("data-raw", value ?? ""); }
        else { cell.textContent = value === null || value === undefined ? "–" : value; cell.dir = "auto"; }
        line.append(cell);
      });
    }
    return table;
  };
  const detailOf = (event) => {
    const frame = make("div", "detail");
    const facts = [event.type, event.key, event.generation ? "generation " + event.generation : "", event.untold ? "whether it failed cannot be told" : ""];
    frame.append(make("p", "quiet", facts.filter(Boolean).join(" · ")));
    for (const [title, place] of [["Error", event.error], ["Text", event.text]]) if (place !== undefined) frame.append(longText(title, place));
    if (event.changes) {
      const valueOf = (place, absent) => place === null ? absent : firstLine(textOf(place));
      frame.append(tableOf("Variables that it changed", [["variable"], ["before"], ["after"]],
        event.changes.map(([name, before, after]) => [name, valueOf(before, "(not there)"), valueOf(after, "(not there)")])));
    }
    for (const [title, place] of [["Input", event.input], ["Output", event.output]]) if (place !== undefined) frame.append(longText(title, place));
    for (const [title, place] of [["Variables before", event.before], ["Variables after", event.after]]) {
      if (place === undefined) continue;
      const fold = make("details", "fold");
      fold.append(make("summary", "", title));
      fold.addEventListener("toggle", () => { if (fold.open && fold.childElementCount === 1) fold.append(longText(title, place)); });
      frame.append(fold);
    }
    return frame;
  };
  const percent = (part, whole) => Math.max(0, Math.min(100, whole ? (100 * part) / whole : 0)) + "%";
  const rowOf = (event, duration) => {
    const row = make("details", "event kind-" + event.kind + (event.isError ? " failed" : ""));
    const line = make("summary");
    const track = make("span", "track");
    if (duration) {
      const bar = make("i");
      bar.style.left = percent(Math.min(event.at, duration), duration);
      bar.style.width = percent(event.duration || 0, duration);
      track.append(bar);
    }
    track.setAttribute("aria-hidden", "true");
    const changed = event.changes ? " [" + event.changes.map((change) => change[0]).join(", ") + "]" : "";
    const shown = event.error !== undefined ? firstLine(textOf(event.error)) : event.text !== undefined ? firstLine(textOf(event.text)) : "";
    const said = make("span", "said", [event.name, shown].filter(Boolean).join(" · ") + changed);
    said.dir = "auto";
    if (event.depth) said.style.paddingInlineStart = Math.min(event.depth, 8) + "em";
    line.append(make("span", "at", (event.at < 0 ? "−" : "+") + number(Math.abs(event.at)) + " ms"), track,
      make("span", "kind", (event.isError ? "✕ " : "") + (event.label || LABELS[event.kind] || event.type)), said,
      make("span", "took", event.duration === undefined ? (event.kind === "user" || event.kind === "agent" ? "" : "–") : ms(event.duration)));
    row.append(line);
    row.addEventListener("toggle", () => { if (row.open && row.childElementCount === 1) row.append(detailOf(event)); });
    return row;
  };

  const work = [];
  const rowsLater = (place, events, duration) => {
    for (let start = 0; start < events.length; start += CHUNK) work.push([place, events.slice(start, start + CHUNK), duration]);
  };
  const turnOf = (turn, order) => {
    const frame = make("article", "turn");
    frame.id = "turn-" + order;
    frame.style.containIntrinsicSize = "auto " + (6 + turn.events.length * 1.78) + "rem";
    const title = make("h3", "", turn.number === null ? turn.type : "Turn " + number(turn.number));
    const topic = make("span", "", turn.topic || "(no topic)");
    topic.dir = "auto";
    const times = turn.at + " UTC · " + ms(turn.duration) + (turn.parts ? " · " + ms(turn.parts.unexplained) + " unexplained" : "");
    title.append(topic, make("span", "quiet", times));
    frame.append(title);
    if (turn.left !== null) {
      const change = make("p", "change", "Topic change: " + turn.left + " → " + turn.topic);
      change.dir = "auto";
      frame.append(change);
    }
    if (turn.segments.length) {
      const ribbon = make("div", "ribbon");
      ribbon.setAttribute("role", "img");
      ribbon.setAttribute("aria-label", "Where the time went: " + Object.entries(turn.parts).filter((part) => part[1]).map(([name, value]) => name + " " + ms(value)).join(", "));
      for (const [start, length, kind] of turn.segments.slice(0, 2000)) {
        const part = make("i", "kind-" + kind);
        part.style.left = percent(start, turn.duration);
        part.style.width = percent(length, turn.duration);
        part.title = kind + " " + ms(length);
        ribbon.append(part);
      }
      frame.append(ribbon);
    }
    if (!turn.events.length) frame.append(make("p", "quiet", "No message or step of it is held."));
    rowsLater(frame, turn.events, turn.duration);
    return frame;
  };

  const turnTable = () => {
    const parts = ["llm", "action", "guardrail", "groundedness", "other", "unexplained"];
    const headings = [["turn", true], ["topic"], ["started (UTC)"], ["duration ms", true], ["response ms", true], ...parts.map((name) => [name + " ms", true]), ["errors", true]];
    const rows = data.turns.map((turn, order) => {
      const link = make("a", "", turn.number === null ? turn.type : String(turn.number));
      link.href = "#turn-" + order;
      return [link, turn.topic, turn.at, turn.duration, turn.response, ...parts.map((name) => turn.parts ? turn.parts[name] : null), turn.errors];
    });
    const table = tableOf("Turns and where their time went", headings, rows);
    Array.from(table.tBodies[0].rows, (row, order) => row.cells[0].setAttribute("data-raw", data.turns[order].number ?? ""));
    window.makeSortable(table);
    return table;
  };
  const drawTurns = () => {
    const place = document.getElementById("turns");
    if (data.turns.length <= MANY) { place.append(turnTable()); return; }
    const fold = make("details", "fold"); // a table of so many rows takes the browser longer than the waterfall
    fold.append(make("summary", "", "Table of all " + number(data.turns.length) + " turns"));
    fold.addEventListener("toggle", () => { if (fold.open && fold.childElementCount === 1) { fold.append(turnTable()); } });
    place.append(fold);
  };
  const drawControls = (place) => {
    const form = document.querySelector("form.controls");
    const box = (label, kind, checked, change) => {
      const frame = make("label"), input = make("input");
      input.type = "checkbox";
      input.checked = checked;
      input.addEventListener("change", () => change(input.checked));
      frame.append(input);
      if (kind) frame.append(make("span", "swatch kind-" + kind));
      frame.append(label);
      form.append(frame);
    };
    for (const [kind, label] of Object.entries(KINDS)) box(label, kind, true, (on) => place.classList.toggle("hide-" + kind, !on));
    box("only errors", "", false, (on) => place.classList.toggle("only-errors", on));
    const legend = make("span", "quiet");
    legend.append(make("span", "swatch kind-unexplained"), " unexplained");
    form.append(legend);
  };

  const place = document.getElementById("waterfall-turns");
  const count = data.turns.reduce((sum, turn) => sum + turn.events.length, data.loose.length);
  place.classList.toggle("long", count > MANY); // what is out of sight is laid out when it comes into it
  drawTurns();
  drawControls(place);
  data.turns.forEach((turn, order) => place.append(turnOf(turn, order)));
  if (data.loose.length) {
    const frame = make("article", "turn");
    frame.append(make("h3", "", "Events whose interaction is not held (" + number(data.loose.length) + ")"));
    rowsLater(frame, data.loose, null);
    place.append(frame);
  }
  if (!data.turns.length && !data.loose.length) place.append(make("p", "nothing", "No interaction of this session is held."));
  const slice = (most) => {
    for (let done = 0; work.length && done < most;) {
      const [frame, events, duration] = work.shift();
      const chunk = make("div", "chunk");
      for (const event of events) chunk.append(rowOf(event, duration));
      if (events.length < CHUNK) chunk.style.containIntrinsicSize = "auto " + events.length * 1.78 + "rem";
      frame.append(chunk);
      done += events.length;
    }
    if (work.length) setTimeout(() => slice(SLICE), 0);
    else {
      document.documentElement.dataset.ready = "true";
      document.documentElement.dataset.readyAfterMs = String(Math.round(performance.now()));
    }
  };
  slice(AT_ONCE);
})();
