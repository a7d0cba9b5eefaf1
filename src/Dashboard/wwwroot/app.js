import { TaskStream, colourOf } from '/stream.js';

const $ = id => document.getElementById(id);
const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const stream = new TaskStream($('stream'));
const samples = new Map();
const events = [];
let load = [], runs = [], cluster = '', heardAt = 0;

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

// Calls per second over the last ten seconds.
function rateOf(run, now) {
  const done = Math.max(run.calls, run.completed ?? 0);
  if (run.endedAt !== undefined) return run.endedAt > run.startedAt ? done / (run.endedAt - run.startedAt) * 1000 : 0;
  const list = samples.get(run.id) ?? [];
  samples.set(run.id, list);
  if (list.length === 0 || list.at(-1)[0] !== now) list.push([now, done]);
  while (list.length > 2 && now - list[0][0] > 10000) list.shift();
  const [from, count] = list[0];
  return now > from ? (done - count) / (now - from) * 1000 : 0;
}

function showRuns(frame) {
  // A program that keeps its workers between two loops holds a run that does nothing: those come last.
  const idle = run => run.state === 'Running' && run.calls === 0 && !run.dispatched;
  runs = frame.runs.toReversed().sort((a, b) => idle(a) - idle(b));
  fill($('runs').tBodies[0], runs, run => run.id, (run, row) => {
    const done = Math.max(run.calls, run.completed ?? 0), open = run.state === 'Running', rate = rateOf(run, frame.time);
    if (row.children.length === 0) {
      const swatch = element('span', [], { class: 'swatch' });
      swatch.style.background = colourOf(run.id);
      row.append(element('td', [swatch, element('b', run.name || 'run'), ' ', element('small', `${run.client} ${run.id.slice(0, 8)}`), ' ', element('span', '', { class: 'state' })]));
      row.append(element('td', element('progress', [], { 'aria-label': `Progress of ${run.name || 'run'} ${run.id.slice(0, 8)}` })));
    }
    const state = row.querySelector('.state'), progress = row.querySelector('progress');
    state.textContent = idle(run) ? 'idle' : open ? '' : run.state.toLowerCase();
    state.className = `state ${run.state}`;
    if (idle(run)) { progress.max = 1; progress.value = 0; }
    else if (run.total !== undefined) { progress.max = Math.max(run.total, 1); progress.value = Math.min(done, run.total); }
    else if (open) progress.removeAttribute('value');
    else { progress.max = 1; progress.value = 1; }
    const left = open && run.total !== undefined && rate > 0 ? time((run.total - done) / rate * 1000) : open ? '–' : `took ${time(run.endedAt - run.startedAt)}`;
    cell(row, 2, run.total !== undefined ? `${whole.format(done)} of ${whole.format(run.total)}` : whole.format(done), 'number');
    cell(row, 3, `${short.format(rate)}/s`, 'number');
    cell(row, 4, left, 'number');
    cell(row, 5, whole.format(run.failedBatches), run.failedBatches > 0 ? 'number bad' : 'number');
    cell(row, 6, whole.format(run.slots), 'number');
    cell(row, 7, `${whole.format(run.batchSize)} in ${run.batchMilliseconds < 1 ? '<1' : whole.format(Math.round(run.batchMilliseconds))} ms`, 'number');
    const actions = cell(row, 8, row.children[8]?.firstChild ?? '');
    if (open && actions.firstChild?.nodeName !== 'BUTTON') {
      const cancel = element('button', 'Cancel', { type: 'button', 'aria-label': `Cancel ${run.name || 'run'} ${run.id.slice(0, 8)}` });
      cancel.addEventListener('click', () => cancelRun(run, cancel));
      actions.replaceChildren(cancel);
    } else if (!open) actions.replaceChildren();
  });
  for (const id of samples.keys()) if (!frame.runs.some(run => run.id === id)) samples.delete(id);
  const failed = runs.filter(run => run.failure !== undefined);
  const known = [...$('errors').children].map(item => item.dataset.run).join();
  if (failed.map(run => run.id).join() === known) return;
  $('errors').replaceChildren(...failed.map(run => element('li', element('details', [
    element('summary', [run.failure.callIndex !== undefined ? `call ${whole.format(run.failure.callIndex)} of ${run.name}: ` : `${run.name}: `, element('b', run.failure.exception)]),
    run.failure.call ? element('p', [element('code', run.failure.call), ` on ${run.failure.worker}`]) : '',
    run.failure.stack ? element('pre', run.failure.stack) : '',
  ]), { 'data-run': run.id })));
  if (failed.length === 0) $('errors').replaceChildren(element('li', 'none', { class: 'quiet' }));
}

async function cancelRun(run, button) {
  if (!confirm(`Cancel ${run.name || 'run'} ${run.id.slice(0, 8)} of ${run.client}? Its program gets an error.`)) return;
  button.disabled = true;
  try {
    const answer = await fetch(`/runs/${run.id}/cancel`, { method: 'POST', headers: { 'X-Joblib-Dashboard': '1' } });
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
  fill($('silos').tBodies[0], frame.silos, silo => silo.id, (silo, row) => {
    const faulty = silo.slots === undefined;
    if (row.dataset.faulty !== String(faulty)) { row.replaceChildren(); row.dataset.faulty = faulty; }
    const name = cell(row, 0, row.children[0]?.firstChild ?? element('span'));
    name.firstChild.replaceChildren(element('b', silo.endpoint), ' ', element('small', faulty ? '' : `${silo.machine}/${silo.process}${silo.inProcesses ? ' processes' : ''}`), silo.draining ? element('span', ' drains', { class: 'state Cancelled' }) : '');
    if (faulty) { cell(row, 1, silo.fault || 'has no workers', 'bad'); return; }
    meter(row, 1, silo.busy, silo.slots, `${silo.busy} of ${silo.slots}${silo.workerProcesses ? ` (${silo.workerProcesses} processes)` : ''}`, `Busy workers of ${silo.endpoint}`);
    meter(row, 2, silo.coresUsed ?? 0, silo.cores, silo.coresUsed === undefined ? '–' : `${silo.coresUsed.toFixed(1)} of ${silo.cores}`, `Cores that ${silo.endpoint} uses`);
    meter(row, 3, silo.memory, silo.memoryLimit, `${bytes(silo.memory)} of ${bytes(silo.memoryLimit)}`, `Memory of ${silo.endpoint}`);
    cell(row, 4, whole.format(silo.threadsPerCall), 'number');
    cell(row, 5, whole.format(silo.queued), 'number');
    cell(row, 6, whole.format(silo.batches), 'number');
    cell(row, 7, time(silo.upSeconds * 1000), 'number');
  });
}

function plot(canvas, lines, ceiling) {
  const ratio = Math.min(devicePixelRatio || 1, 2), width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const pen = canvas.getContext('2d'), style = getComputedStyle(document.documentElement);
  pen.clearRect(0, 0, width, height);
  if (load.length === 0) return;
  const end = load.at(-1)[0], span = Math.max(end - load[0][0], 30000), top = Math.max(ceiling, 1);
  pen.font = `${11 * ratio}px system-ui, sans-serif`;
  pen.fillStyle = style.getPropertyValue('--quiet');
  pen.fillText(short.format(top), 2, 11 * ratio);
  pen.lineWidth = 1.5 * ratio;
  for (const [column, colour] of lines) {
    pen.strokeStyle = style.getPropertyValue(colour);
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
  $('total-busy').textContent = `${whole.format(last[2])} of ${whole.format(last[1])}`;
  $('total-queued').textContent = whole.format(last[3]);
  $('total-rate').textContent = short.format(last[4]);
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
    cluster = frame.cluster;
    $('cluster').textContent = cluster;
    $('grains').hidden = frame.grains === null;
    if (frame.grains !== null) $('grains').href = frame.grains;
    load = [];
    events.length = 0;
  }
  load.push(...frame.load);
  while (load.length > 0 && load.at(-1)[0] - load[0][0] > 300000) load.shift();
  stream.take(frame);
  showEvents(frame.events);
  if (frame.silos === undefined) return;
  say('live', false);
  showSilos(frame);
  showRuns(frame);
  showLoad();
  $('total-silos').textContent = whole.format(frame.silos.length);
  $('stream').setAttribute('aria-label', `Task stream: ${stream.laneCount} workers, ${frame.running.length} batches executing, ${runs.filter(run => run.state === 'Running').length} runs open`);
}

function say(text, lost) {
  if ($('connection').textContent !== text) $('connection').textContent = text;
  $('connection').classList.toggle('lost', lost);
}

// The browser connects again by itself.
const source = new EventSource('/frames');
source.onmessage = message => take(JSON.parse(message.data));
source.onerror = () => say('the silo that serves this page does not answer; trying again', true);
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
  const run = runs.find(one => one.id === bar.run);
  tip.textContent = `${run?.name || 'run'} ${bar.run.slice(0, 8)}\n${bar.silo.split('@')[0]} worker ${bar.worker}\n${whole.format(bar.calls)} calls from batch ${bar.number}${bar.failed ? ', failed' : ''}\n${bar.duration < 1000 ? `${bar.duration} ms` : time(bar.duration)}`;
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - 260)}px`;
  tip.style.top = `${Math.min(event.clientY + 14, innerHeight - 90)}px`;
});
$('stream').addEventListener('mouseleave', () => { $('tip').hidden = true; });
// For those who look after the page itself.
window.joblib = { stream };
