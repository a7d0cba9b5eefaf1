// The task stream: a lane for each worker, a bar for each batch. Bars that ended are drawn once, on a strip that is as wide as the window and is used round and round; a frame of the
// animation copies the strip and draws the bars that are still growing. So a thousand lanes cost as much as ten.
const hues = [211, 28, 140, 275, 50, 180, 330, 95, 245, 10, 160, 300];
const colours = new Map();

export function colourOf(run) {
  if (!colours.has(run)) {
    const n = colours.size;
    colours.set(run, `hsl(${hues[n % hues.length]} ${n < hues.length ? 62 : 38}% 52%)`);
  }
  return colours.get(run);
}

// What has ended is known one look later: the picture is that much behind.
const lag = 700;
const mostBars = 60000;

export class TaskStream {
  #canvas; #strip = document.createElement('canvas'); #lanes = new Map(); #order = []; #bars = []; #running = []; #fresh = []; #held = []; #drawnTo = 0; #window = 30000; #offset = null; #paused = null; #dirty = true; #size = null; #bad = '';

  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(([entry]) => { this.#size = entry.contentRect; this.#dirty = true; }).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.#dirty = true; });
    const step = () => { this.#draw(); requestAnimationFrame(step); };
    requestAnimationFrame(step);
  }

  set window(seconds) { this.#window = seconds * 1000; this.#dirty = true; }
  get paused() { return this.#paused !== null; }
  set paused(value) {
    this.#paused = value ? this.#now() : null;
    this.#dirty = true;
    if (!value) { this.#bars = this.#bars.concat(this.#held); this.#held = []; }
  }
  get laneCount() { return this.#order.length; }
  get barCount() { return this.#bars.length; }
  // How many it has in hand to draw; for those who look after the page.
  get waitingCount() { return this.#fresh.length + this.#held.length; }

  forget() { this.#bars = []; this.#fresh = []; this.#held = []; this.#running = []; this.#dirty = true; }

  // A lane for each slot of each silo, idle ones too.
  take(frame) {
    if (frame.time !== undefined) {
      const offset = frame.time - performance.now();
      // A frame that was late says less than one that was not; clocks drift, so none counts for ever.
      this.#offset = this.#offset === null ? offset : Math.max(offset, this.#offset - 5);
    }
    if (frame.silos !== undefined) {
      this.#takeLanes(frame);
      this.#running = frame.running.map(b => ({ ...bar(b), growing: true }));
    }
    const bars = frame.batches.map(bar);
    if (this.paused) {
      // The picture stays as it is, and what one can point at in it.
      this.#held = this.#held.concat(bars).slice(-mostBars);
      return;
    }
    this.#bars = this.#bars.concat(bars);
    this.#fresh = this.#fresh.concat(bars);
    const oldest = this.#now() - 60000;
    let gone = Math.max(0, this.#bars.length - mostBars);
    while (gone < this.#bars.length && this.#bars[gone].start + this.#bars[gone].duration < oldest) gone++;
    if (gone > 0) this.#bars.splice(0, gone);
    // Nothing is drawn while the page is hidden.
    if (this.#fresh.length > this.#bars.length) { this.#fresh = []; this.#dirty = true; }
  }

  // The bar under a point of the canvas.
  at(x, y) {
    const now = this.#now();
    const rect = this.#canvas.getBoundingClientRect();
    const time = now - this.#window + x / rect.width * this.#window;
    const lane = this.#order[Math.floor(y / rect.height * this.#order.length)];
    const slack = this.#window / rect.width * 2;
    const hit = b => b.key === lane && time >= b.start - slack && time <= (b.growing ? now : b.start + b.duration) + slack;
    return lane === undefined ? undefined : this.#running.find(hit) ?? this.#bars.findLast(hit);
  }

  #takeLanes(frame) {
    const keys = [];
    for (const silo of frame.silos) for (let worker = 0; worker < (silo.slots ?? 0); worker++) keys.push(`${silo.silo} ${worker}`);
    const known = new Set(keys);
    for (const b of [...frame.running, ...frame.batches]) {
      const key = `${b[0]} ${b[1]}`;
      if (!known.has(key) && frame.silos.some(silo => silo.silo === b[0])) { known.add(key); keys.push(key); }
    }
    if (keys.length === this.#order.length && keys.every((key, i) => key === this.#order[i])) return;
    this.#order = keys;
    this.#lanes = new Map(keys.map((key, i) => [key, i]));
    this.#dirty = true;
  }

  #now() { return this.#paused ?? performance.now() + (this.#offset ?? 0) - lag; }

  #draw() {
    const canvas = this.#canvas, ratio = Math.min(devicePixelRatio || 1, 2);
    if (this.#offset === null || this.#size === null) return;
    const width = Math.max(1, Math.round(this.#size.width * ratio)), height = Math.max(1, Math.round(this.#size.height * ratio));
    const strip = this.#strip, now = this.#now();
    if (this.#dirty || canvas.width !== width || canvas.height !== height) {
      canvas.width = strip.width = width;
      canvas.height = strip.height = height;
      this.#drawnTo = now;
      this.#bad = getComputedStyle(document.documentElement).getPropertyValue('--bad');
      const pen = strip.getContext('2d');
      for (const b of this.#bars) if (b.start + b.duration <= now) this.#drawBar(pen, b, now);
      this.#fresh = this.#bars.filter(b => b.start + b.duration > now);
      this.#dirty = false;
    }
    const pen = canvas.getContext('2d'), stripPen = strip.getContext('2d');
    this.#clearBetween(stripPen, this.#drawnTo, now);
    this.#drawnTo = now;
    // A bar goes onto the strip when the picture has come to its end.
    const later = [];
    for (const b of this.#fresh) if (b.start + b.duration <= now) this.#drawBar(stripPen, b, now); else later.push(b);
    this.#fresh = later;
    pen.clearRect(0, 0, width, height);
    // The column of 'now' is the newest; what follows it on the strip is the oldest.
    const cut = this.#column(now);
    pen.drawImage(strip, cut, 0, width - cut, height, 0, 0, width - cut, height);
    if (cut > 0) pen.drawImage(strip, 0, 0, cut, height, width - cut, 0, cut, height);
    for (const b of [...later, ...this.#running]) {
      const lane = this.#lanes.get(b.key);
      if (lane === undefined || b.start > now) continue;
      const x = Math.max(0, width - (now - b.start) / this.#window * width);
      pen.fillStyle = colourOf(b.run);
      this.#fill(pen, x, width - x, lane, height);
    }
  }

  #column(time) { const width = this.#strip.width; return Math.floor(((time / this.#window * width) % width + width) % width); }

  #clearBetween(pen, from, to) {
    const { width, height } = this.#strip;
    const count = Math.floor(to / this.#window * width) - Math.floor(from / this.#window * width);
    if (count <= 0) return;
    if (count >= width) { pen.clearRect(0, 0, width, height); return; }
    const first = this.#column(from);
    pen.clearRect(first, 0, Math.min(count, width - first), height);
    if (first + count > width) pen.clearRect(0, 0, first + count - width, height);
  }

  // On the strip, as far as it is inside of the window that ends at a moment.
  #drawBar(pen, b, now) {
    const { width, height } = this.#strip, lane = this.#lanes.get(b.key);
    const start = Math.max(b.start, now - this.#window), end = Math.min(b.start + b.duration, now);
    if (lane === undefined || end <= start && b.duration > 0 || end < now - this.#window) return;
    pen.fillStyle = b.failed ? this.#bad : colourOf(b.run);
    const length = Math.max(1, (end - start) / this.#window * width), first = this.#column(start);
    this.#fill(pen, first, Math.min(length, width - first), lane, height);
    if (first + length > width) this.#fill(pen, 0, first + length - width, lane, height);
  }

  #fill(pen, x, length, lane, height) {
    const each = height / this.#order.length, gap = each > 4 ? 1 : 0;
    pen.fillRect(x, lane * each, length, Math.max(each - gap, 0.75));
  }
}

function bar(b) { return { key: `${b[0]} ${b[1]}`, silo: b[0], worker: b[1], run: b[2], start: b[3], duration: b[4], calls: b[5], failed: b[6] === 1, number: b[7], growing: false }; }
