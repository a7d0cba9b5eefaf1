import { TaskStream, colourOf } from '/stream.js';

const $ = id => document.getElementById(id);
const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const stream = new TaskStream($('stream'));
const known = new Map();
const events = [];
let load = [], runs = [], heardAt = 0;

function element(name, content, attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) value === undefined || made.setAttribute(key, value);
  made.append(...[content ?? []].flat());
  return made;
}

function time(milliseconds) {
  const s = Math.round(milliseconds / 1000);
  return s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : s < 86400 ? `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min` : `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}

function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; count >= 1024 && unit < 4; unit++) count /= 1024;
  return `${count.toFixed(count < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

// Rows keep their elements from frame to frame: a button must not vanish under a finger, nor the focus with it.
function fill(body, items, idOf, cellsOf) {
  const rows = new Map([...body.children].map(row => [row.dataset.id, row]));
  let before = null;
  for (const item of items) {
    const id = idOf(item);
    let row = rows.get(id);
    if (row === undefined) { row = element('tr', [], { 'data-id': id }); }
    rows.delete(id);
    cellsOf(item, row);
    const next = before === null ? body.firstChild : before.nextSibling;
    if (row !== next) body.insertBefore(row, next);
    before = row;
  }
  for (const row of rows.values()) row.remove();
}

function cell(row, index, text, kind) {
  while (row.children.length <= index) row.append(element('td'));
  const td = row.children[index];
  if (kind) td.className = kind;
  if (text instanceof Node) { if (td.firstChild !== text) td.replaceChildren(text); }
  else if (td.textContent !== text) td.textContent = text;
  return td;
}

// A program that keeps its workers between two loops holds a run that does nothing: those come last.
const idle = run => run.state === 'running' && run.completedCalls === 0 && !run.dispatchedCalls;

function showRuns(frame) {
  for (const id of frame.gone) known.delete(id);
  for (const run of frame.runs) known.set(run.run, run);
  if (frame.runs.length === 0 && frame.gone.length === 0 && !frame.first) return;
  runs = [...known.values()].sort((a, b) => idle(a) - idle(b) || b.startedAt.localeCompare(a.startedAt));
  const changed = new Set(frame.runs);
  fill($('runs').tBodies[0], runs, run => run.run, (run, row) => { if (changed.has(run)) showRun(run, row); });
  const failed = runs.filter(run => run.failure !== null);
  if (failed.map(run => run.run).join() === [...$('errors').children].map(item => item.dataset.run).join()) return;
  $('errors').replaceChildren(...failed.map(run => element('li', element('details', [
    element('summary', [run.failure.callIndex !== null ? `call ${whole.format(run.failure.callIndex)} of ${run.name}: ` : `${run.name}: `, element('b', run.failure.exception)]),
    run.failure.call ? element('p', [element('code', run.failure.call), ` on ${run.failure.worker}`]) : '',
    run.failure.stackTrace ? element('pre', run.failure.stackTrace) : '',
  ]), { 'data-run': run.run })));
  if (failed.length === 0) $('errors').replaceChildren(element('li', 'none', { class: 'quiet' }));
}

function showRun(run, row) {
  const done = run.completedCalls, open = run.state === 'running', name = `${run.name || 'run'} ${run.run.slice(0, 8)}`;
  if (row.children.length === 0) {
    const swatch = element('span', [], { class: 'swatch' });
    swatch.style.background = colourOf(run.run);
    row.append(element('td', [swatch, element('b', run.name || 'run'), ' ', element('small', `${run.client} ${run.run.slice(0, 8)}`), ' ', element('span', '', { class: 'state' })]));
    row.append(element('td', element('progress', [], { 'aria-label': `Progress of ${name}` })));
  }
  const state = row.querySelector('.state'), progress = row.querySelector('progress');
  state.textContent = idle(run) ? 'idle' : open ? '' : run.state;
  state.className = `state ${run.state}`;
  if (idle(run)) { progress.max = 1; progress.value = 0; }
  else if (run.totalCalls !== null) { progress.max = Math.max(run.totalCalls, 1); progress.value = Math.min(done, run.totalCalls); }
  else if (open) progress.removeAttribute('value');
  else { progress.max = 1; progress.value = 1; }
  cell(row, 2, run.totalCalls !== null ? `${whole.format(done)} of ${whole.format(run.totalCalls)}` : whole.format(done), 'number');
  cell(row, 3, `${short.format(run.callsPerSecond)}/s`, 'number');
  cell(row, 4, !open ? `took ${time(run.elapsedSeconds * 1000)}` : run.remainingSeconds !== null ? time(run.remainingSeconds * 1000) : '–', 'number');
  cell(row, 5, whole.format(run.failedBatches), run.failedBatches > 0 ? 'number bad' : 'number');
  cell(row, 6, whole.format(run.slots), 'number');
  cell(row, 7, `${whole.format(run.batchCalls)} in ${run.batchSeconds < 0.001 ? '<1' : whole.format(Math.round(run.batchSeconds * 1000))} ms`, 'number');
  const actions = cell(row, 8, row.children[8]?.firstChild ?? '');
  if (open && actions.firstChild?.nodeName !== 'BUTTON') {
    const cancel = element('button', 'Cancel', { type: 'button', 'aria-label': `Cancel ${name}` });
    cancel.addEventListener('click', () => cancelRun(run, cancel));
    actions.replaceChildren(cancel);
  } else if (!open) actions.replaceChildren();
}

async function cancelRun(run, button) {
  if (!confirm(`Cancel ${run.name || 'run'} ${run.run.slice(0, 8)} of ${run.client}? Its program gets an error.`)) return;
  button.disabled = true;
  try {
    const answer = await fetch(`/runs/${run.run}/cancel`, { method: 'POST', headers: { 'X-Joblib-Dashboard': '1' } });
    if (!answer.ok) { alert(await answer.text()); button.disabled = false; }
  } catch (error) { alert(`The dashboard did not answer: ${error}`); button.disabled = false; }
}

function meter(row, index, value, max, text, label) {
  const td = row.children[index] ?? row.appendChild(element('td'));
  if (td.children.length === 0) td.append(element('meter', [], { 'aria-label': label, min: 0 }), ' ', element('span'));
  td.querySelector('meter').max = Math.max(max, 1e-9);
  td.querySelector('meter').value = value;
  td.querySelector('span').textContent = text;
}

function showSilos(frame) {
  fill($('silos').tBodies[0], frame.silos, silo => silo.silo, (silo, row) => {
    const silent = silo.state === 'silent', endpoint = silo.silo.split('@')[0];
    if (row.dataset.silent !== String(silent)) { row.replaceChildren(); row.dataset.silent = silent; }
    const host = silent ? '' : `${silo.machine}/${silo.processId}${silo.workerKind === 'processes' ? ' processes' : ''}`;
    if (row.dataset.name !== `${host} ${silo.state}`) {
      row.dataset.name = `${host} ${silo.state}`;
      cell(row, 0, element('span', [element('b', endpoint), ' ', element('small', host), silo.state === 'draining' ? element('span', ' drains', { class: 'state cancelled' }) : '']));
    }
    if (silent) { cell(row, 1, silo.fault || 'has no workers', 'bad'); return; }
    meter(row, 1, silo.busySlots, silo.slots, `${silo.busySlots} of ${silo.slots}${silo.workerProcesses ? ` (${silo.workerProcesses} processes)` : ''}`, `Busy workers of ${endpoint}`);
    meter(row, 2, silo.coresUsed ?? 0, silo.cores, silo.coresUsed === null ? '–' : `${silo.coresUsed.toFixed(1)} of ${silo.cores}`, `Cores that ${endpoint} uses`);
    meter(row, 3, silo.workingSetBytes, silo.memoryLimitBytes, `${bytes(silo.workingSetBytes)} of ${bytes(silo.memoryLimitBytes)}`, `Memory of ${endpoint}`);
    cell(row, 4, silo.arrays === 0 ? '–' : `${whole.format(silo.arrays)} (${bytes(silo.arrayBytes)})`, 'number');
    cell(row, 5, whole.format(silo.threadsPerCall), 'number');
    cell(row, 6, whole.format(silo.queuedBatches), 'number');
    cell(row, 7, whole.format(silo.endedBatches), 'number');
    cell(row, 8, time(silo.upSeconds * 1000), 'number');
  });
}

// Sizes and colours are asked for when they change: asked for while a look is taken in, the browser lays the page out for the answer.
const plots = new Map();
const colours = {};
const dark = matchMedia('(prefers-color-scheme: dark)');
function readColours() { const style = getComputedStyle(document.documentElement); for (const name of ['--quiet', '--warm', '--good', '--accent']) colours[name] = style.getPropertyValue(name); }
dark.addEventListener('change', readColours);
readColours();
const sizes = new ResizeObserver(entries => { for (const entry of entries) plots.set(entry.target, entry.contentRect); showLoad(); });
for (const id of ['load', 'rate']) sizes.observe($(id));

function plot(canvas, lines, ceiling) {
  const size = plots.get(canvas);
  if (size === undefined) return;
  const ratio = Math.min(devicePixelRatio || 1, 2), width = Math.round(size.width * ratio), height = Math.round(size.height * ratio);
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const pen = canvas.getContext('2d');
  pen.clearRect(0, 0, width, height);
  if (load.length === 0) return;
  const end = load.at(-1)[0], span = Math.max(end - load[0][0], 30000), top = Math.max(ceiling, 1);
  pen.font = `${11 * ratio}px system-ui, sans-serif`;
  pen.fillStyle = colours['--quiet'];
  pen.fillText(short.format(top), 2, 11 * ratio);
  pen.lineWidth = 1.5 * ratio;
  for (const [column, colour] of lines) {
    pen.strokeStyle = colours[colour];
    pen.beginPath();
    for (const moment of load) pen.lineTo(width - (end - moment[0]) / span * width, height - 2 - Math.min(moment[column] / top, 1) * (height - 4));
    pen.stroke();
  }
}

function showLoad() {
  plot($('load'), [[1, '--quiet'], [3, '--warm'], [2, '--good']], Math.max(...load.map(m => Math.max(m[1], m[3]))));
  plot($('rate'), [[4, '--accent']], Math.max(...load.map(m => m[4])));
  const last = load.at(-1);
  if (last === undefined) return;
  write('total-busy', `${whole.format(last[2])} of ${whole.format(last[1])}`);
  write('total-queued', whole.format(last[3]));
  write('total-rate', short.format(last[4]));
  $('load').setAttribute('aria-label', `${last[2]} of ${last[1]} slots are busy, ${last[3]} batches are queued`);
  $('rate').setAttribute('aria-label', `${short.format(last[4])} calls per second`);
}

function showEvents(fresh) {
  if (fresh.length === 0) return;
  events.unshift(...fresh.toReversed());
  events.length = Math.min(events.length, 200);
  $('events').replaceChildren(...events.map(event => element('li', [element('time', new Date(event.time).toLocaleTimeString()), ' ', element('b', event.silo.split('@')[0]), ` ${event.what}`])));
}

function take(frame) {
  heardAt = performance.now();
  if (frame.fault !== undefined) { say(frame.fault, true); return; }
  if (frame.first) {
    write('cluster', frame.cluster);
    $('grains').hidden = frame.grains === null;
    if (frame.grains !== null) $('grains').href = frame.grains;
    load = [];
    events.length = 0;
    known.clear();
    stream.forget();
  }
  load.push(...frame.load);
  while (load.length > 0 && load.at(-1)[0] - load[0][0] > 300000) load.shift();
  stream.take(frame);
  if (frame.silos !== undefined) say('live', false);
  // The rest one by one, so that no frame of the animation waits for all of it.
  soon(() => showEvents(frame.events));
  if (frame.silos === undefined) return;
  soon(() => showSilos(frame));
  soon(() => showRuns(frame));
  soon(showLoad);
  soon(() => {
    write('total-silos', whole.format(frame.silos.length));
    $('stream').setAttribute('aria-label', `Task stream: ${stream.laneCount} workers, ${frame.running.length} batches executing, ${runs.filter(run => run.state === 'running').length} runs open`);
  });
}

const work = [];
let working = false;
function soon(step) { work.push(step); if (!working) { working = true; setTimeout(next); } }
function next() {
  const until = performance.now() + 4;
  try { do work.shift()(); while (work.length > 0 && (document.hidden || performance.now() < until)); }
  finally { if (work.length > 0) setTimeout(next, 16); else working = false; }
}

function write(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }

function say(text, lost) {
  write('connection', text);
  $('connection').classList.toggle('lost', lost);
}

// The browser connects again by itself where the connection broke, but not after an answer that it cannot read.
let source = null;
function listen() {
  source = new EventSource('/frames');
  source.onmessage = message => take(JSON.parse(message.data));
  source.onerror = async () => {
    say('the silo that serves this page does not answer; trying again', true);
    const failed = source;
    if (failed === null || failed.readyState !== EventSource.CLOSED) return;
    source = null;
    // A silo that was started anew may have another token.
    const answer = await fetch('/', { redirect: 'manual' }).catch(() => null);
    if (answer?.type === 'opaqueredirect') location.reload(); else setTimeout(show, 3000);
  };
}
function show() { if (source === null && !document.hidden) listen(); }
// Browsers have few connections to one address: a page that nobody sees gives its own back after a while.
let hiding = 0;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(() => { source?.close(); source = null; }, window.joblib.hiddenFor); else show();
});
listen();
setInterval(() => { if (heardAt > 0 && performance.now() - heardAt > 5000) say('no news from the cluster', true); }, 1000);

$('window').addEventListener('change', () => { stream.window = Number($('window').value); });
$('pause').addEventListener('click', () => {
  stream.paused = !stream.paused;
  $('pause').setAttribute('aria-pressed', stream.paused);
  $('pause').textContent = stream.paused ? 'Go on' : 'Pause';
});
$('stream').addEventListener('mousemove', event => {
  const bar = stream.at(event.offsetX, event.offsetY), tip = $('tip');
  tip.hidden = bar === undefined;
  if (bar === undefined) return;
  const run = known.get(bar.run);
  tip.textContent = `${run?.name || 'run'} ${bar.run.slice(0, 8)}\n${bar.silo.split('@')[0]} worker ${bar.worker}\n${whole.format(bar.calls)} calls from batch ${bar.number}${bar.failed ? ', failed' : ''}\n${bar.duration < 1000 ? `${bar.duration} ms` : time(bar.duration)}`;
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - 260)}px`;
  tip.style.top = `${Math.min(event.clientY + 14, innerHeight - 90)}px`;
});
$('stream').addEventListener('mouseleave', () => { $('tip').hidden = true; });
// For those who look after the page itself.
window.joblib = { stream, hiddenFor: 60000 };
