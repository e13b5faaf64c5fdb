
'use strict';
/* Everything drawn comes from /v1/model, /v1/stats and /debug/slow, asked for once a second while somebody looks. */

const KEPT = 120, WINDOW = 10; /* samples: drawn, and behind the tiles' figures */
const STAGES = ['read', 'parse', 'queue', 'kernel', 'print'];
const samples = []; /* newest last */
let edges = [], model = null, served = '', key = '', first = null, ticks = 0;

const $ = id => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) =>
  fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

/* Figures for people. */

const count = n => Math.round(n).toLocaleString('en');
const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;
const digits = x => (x >= 100 || x === 0 ? count(x) : x.toFixed(x >= 10 ? 1 : 2));
const plain = x => Number(x.toPrecision(3)).toLocaleString('en'); /* of round numbers */
function scaled(x, units, print) {
  let i = 0;
  for (; x >= 999.5 && i < units.length - 1; i++) x /= 1000;
  return [print(x), units[i]];
}
const SECONDS = ['µs', 'ms', 's'], BYTES = ['bytes', 'kB', 'MB', 'GB', 'TB'];
const bytes = n => scaled(n, BYTES, n < 999.5 ? plain : digits).join('\u00a0');
const short = us => scaled(us, SECONDS, digits).join('\u00a0');
const tick = us => scaled(us, SECONDS, plain).join('\u00a0');
const percent = x => (x > 0 && x < 0.001 ? '< 0.1 %' : `${digits(100 * x)} %`);

function age(seconds) {
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const i = Math.max(0, parts.findIndex(([unit]) => seconds >= unit));
  const [unit, name] = seconds < 1 ? parts[3] : parts[i];
  return `${Math.floor(seconds / unit)}\u00a0${name}`;
}

function put(id, value, unit) {
  $(id).replaceChildren(value, ...(unit ? ['\u00a0', h('small', {}, unit)] : []));
}

/* Asking. */

async function ask(path, options = {}) {
  const headers = {...options.headers, ...(key ? {Authorization: `Bearer ${key}`} : {})};
  const response = await fetch(path, {...options, headers, cache: 'no-store'});
  if (response.status === 401) $('key-form').hidden = false;
  return response;
}
async function askJson(path) {
  const response = await ask(path);
  if (!response.ok) throw Object.assign(new Error(`${path}: ${response.status}`), {status: response.status});
  return response.json();
}

/* Samples, and what happened between two. */

function expand(d) {
  const counts = new Array(edges.length + 1).fill(0);
  for (const [i, n] of d.counts) counts[i] = n;
  return {n: d.n, sum: d.sum_us, counts};
}

function sampleOf(stats) {
  const series = new Map();
  for (const d of stats.durations) {
    const stages = Object.fromEntries(Object.entries(d.stages || {}).map(([name, of]) => [name, expand(of)]));
    series.set(`${d.transport} ${d.operation}`, {all: expand(d), stages, scores: d.operation !== 'other'});
  }
  return {t: stats.age_s, series};
}

/* Between two samples, of the chosen series: {n, sum, counts, seconds}. stage: '' for the whole request. */
function between(from, to, stage = '') {
  const out = {n: 0, sum: 0, counts: new Array(edges.length + 1).fill(0), seconds: to.t - (from ? from.t : 0)};
  const add = (d, sign) => {
    out.n += sign * d.n;
    out.sum += sign * d.sum;
    d.counts.forEach((n, i) => { out.counts[i] += sign * n; });
  };
  for (const [name, b] of to.series) {
    if ($('which').value ? name !== $('which').value : !b.scores) continue;
    const a = from && from.series.get(name), pick = x => (stage ? x.stages[stage] : x.all);
    if (pick(b)) add(pick(b), 1);
    if (a && pick(a)) add(pick(a), -1);
  }
  return out;
}

function quantile(d, q) {
  let seen = 0;
  for (let i = 0; i < edges.length; i++) {
    const n = d.counts[i], low = i ? edges[i - 1] : 0;
    if (n > 0 && seen + n >= q * d.n) return low + (edges[i] - low) * (q * d.n - seen) / n;
    seen += n;
  }
  return edges[edges.length - 1];
}

/* Plots: each is drawn anew, as wide as it is. */

const RIGHT = 92, LEFT = 54, BOTTOM = 24, TOP = 8;

function begin(id) {
  const svg = $(id), width = svg.clientWidth || 320, height = svg.clientHeight || 190;
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.replaceChildren();
  return {svg, right: width - RIGHT, bottom: height - BOTTOM, width};
}

function sayNothing(plot) {
  const text = s('text', {class: 'none', x: plot.width / 2, y: plot.bottom / 2, 'text-anchor': 'middle'},
    'nothing yet: try a request below');
  plot.svg.append(text);
  plot.svg.setAttribute('aria-label', 'No requests yet');
}

function logTicks(low, high) {
  const all = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++)
    for (const m of [1, 2, 5]) all.push(m * 10 ** e);
  const fine = all.filter(v => v >= low && v <= high);
  const coarse = fine.filter((v, i) => /^1/.test(v.toExponential()));
  return fine.length > 5 && coarse.length > 1 ? coarse : fine;
}
function evenTicks(high) {
  const rough = high / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(m => m * power).find(v => v >= rough);
  return Array.from({length: Math.floor(high / step) + 1}, (_, i) => i * step);
}

function yAxis(plot, ticksAt, y, text) {
  for (const v of ticksAt) {
    plot.svg.append(s('line', {class: 'grid', x1: LEFT, x2: plot.right, y1: y(v), y2: y(v)}),
      s('text', {class: 'tick', x: LEFT - 8, y: y(v) + 4, 'text-anchor': 'end'}, text(v)));
  }
}
/* Seconds before now, as many as there are to show: x and its axis. */
function secondsAxis(plot, all) {
  const span = Math.min(Math.max(-all[0].x, 2), KEPT), step = [0.5, 1, 2, 5, 10, 15, 30].find(v => span / v <= 4.5);
  const x = v => plot.right + v / span * (plot.right - LEFT);
  for (let ago = 0; ago < span; ago += step) {
    const anchor = ago === 0 ? 'end' : 'middle';
    plot.svg.append(s('text', {class: 'tick', x: x(-ago), y: plot.bottom + 18, 'text-anchor': anchor},
      ago === 0 ? 'now' : `−${ago} s`));
  }
  return x;
}

/* A curve through points [x, y] or null, where there was nothing. */
function pathOf(points, x, y) {
  let pen = 'M';
  return points.map(p => {
    const step = p ? `${pen}${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}${pen === 'M' ? 'h0' : ''}` : ''; /* h0: a dot where it is alone */
    pen = p ? 'L' : 'M';
    return step;
  }).join('');
}

function label(plot, colour, text, at, taken) {
  let y = at + 4;
  for (const other of taken) if (Math.abs(other - y) < 15) y = other + (y < other ? -15 : 15);
  taken.push(y);
  plot.svg.append(s('text', {class: `end ${colour}`, x: plot.right + 8, y}, text));
}

/* One step a second, newest last; x is seconds before now. */
function steps() {
  const now = samples[samples.length - 1].t;
  return samples.slice(1).map((to, i) => ({x: to.t - now, d: between(samples[i], to)}));
}

function drawLatency(all) {
  const plot = begin('latency'), used = all.filter(p => p.d.n > 0);
  if (used.length === 0) return sayNothing(plot);
  const curves = [['p99', 's1', 0.99], ['p50', 's0', 0.5]].map(([name, colour, q]) =>
    ({name, colour, points: all.map(p => (p.d.n ? [p.x, quantile(p.d, q)] : null))}));
  const values = curves.flatMap(c => c.points.filter(p => p).map(p => p[1]));
  const middle = Math.sqrt(Math.min(...values) * Math.max(...values));
  const low = Math.min(middle / 3, Math.min(...values) / 1.3), high = Math.max(middle * 3, Math.max(...values) * 1.3);
  const y = v => plot.bottom - (plot.bottom - TOP) * Math.log(v / low) / Math.log(high / low);
  const x = secondsAxis(plot, all), taken = [];
  yAxis(plot, logTicks(low, high), y, tick);
  for (const c of curves) {
    const last = c.points.filter(p => p).pop();
    plot.svg.append(s('path', {class: `curve ${c.colour}`, d: pathOf(c.points, x, y)}),
      s('circle', {class: c.colour, cx: x(last[0]), cy: y(last[1]), r: 3}));
    label(plot, c.colour, `${c.name} ${short(last[1])}`, y(last[1]), taken);
  }
  plot.svg.setAttribute('aria-label', `Latency: ${curves.map(c =>
    `${c.name} ${short(c.points.filter(p => p).pop()[1])}`).join(', ')}`);
}

function drawThroughput(all) {
  const plot = begin('throughput'), points = all.map(p => [p.x, p.d.n / p.d.seconds]);
  const most = Math.max(...points.map(p => p[1]), 0);
  if (most === 0) return sayNothing(plot);
  const high = most * 1.15, last = points[points.length - 1];
  const x = secondsAxis(plot, all), y = v => plot.bottom - (plot.bottom - TOP) * v / high;
  const line = pathOf(points, x, y);
  yAxis(plot, evenTicks(high), y, v => (v >= 10000 ? `${plain(v / 1000)}k` : plain(v)));
  plot.svg.append(
    s('path', {class: 'area s2', d: `${line}L${x(last[0])} ${y(0)}L${x(points[0][0])} ${y(0)}Z`}),
    s('path', {class: 'curve s2', d: line}), s('circle', {class: 's2', cx: x(last[0]), cy: y(last[1]), r: 3}));
  label(plot, 's2', `${count(last[1])} /s`, y(last[1]), []);
  plot.svg.setAttribute('aria-label', `Throughput: ${count(last[1])} requests a second`);
}

/* Columns between the quantiles 0.0005 and 0.9995, so that one late request does not press the rest together. */
function drawDistribution() {
  const plot = begin('distribution'), d = between(first, samples[samples.length - 1]);
  if (d.n <= 0) return sayNothing(plot);
  const low = Math.max(quantile(d, 0.0005) / 1.6, 0.06), high = quantile(d, 0.9995) * 1.6;
  const right = plot.right + RIGHT - 12;
  const x = v => LEFT + (right - LEFT) * Math.log(Math.max(v, low) / low) / Math.log(high / low);
  const shown = edges.map((edge, i) => ({from: i ? edges[i - 1] : 0, to: edge, n: d.counts[i]}))
    .filter(b => b.n > 0 && b.to > low && b.from < high);
  /* Buckets differ in width: columns are as high as their share a log step. */
  for (const b of shown) b.height = b.n / d.n / (Math.log(b.to) - Math.log(Math.max(b.from, b.to / 2)));
  const most = Math.max(...shown.map(b => b.height));
  for (const v of logTicks(low, high))
    plot.svg.append(s('line', {class: 'grid', x1: x(v), x2: x(v), y1: TOP, y2: plot.bottom}),
      s('text', {class: 'tick', x: x(v), y: plot.bottom + 18, 'text-anchor': 'middle'}, tick(v)));
  for (const b of shown) {
    const from = x(Math.max(b.from, low)), to = x(Math.min(b.to, high)), height = (plot.bottom - 26) * b.height / most;
    plot.svg.append(s('rect', {class: 'column', x: from, y: plot.bottom - height,
      width: Math.max(to - from - 1, 1), height, rx: 1}));
  }
  const taken = [];
  for (const [name, q, colour] of [['p50', 0.5, 's0'], ['p99', 0.99, 's1']]) {
    const at = x(quantile(d, q)), row = taken.some(t => Math.abs(t - at) < 44) ? TOP + 20 : TOP + 6;
    taken.push(at);
    plot.svg.append(s('line', {class: `mark ${colour}`, x1: at, x2: at, y1: row + 4, y2: plot.bottom}),
      s('text', {class: `end ${colour}`, x: at + 5, y: row + 6}, name));
  }
  plot.svg.setAttribute('aria-label', `${count(d.n)} requests: p50 ${short(quantile(d, 0.5))}, p99 ${
    short(quantile(d, 0.99))}`);
}

/* Rows of a label, a bar and a value. */
function bars(id, rows, note) {
  const most = Math.max(...rows.map(r => r.value), 1e-9);
  $(id).replaceChildren(...rows.flatMap(r => {
    const bar = h('div', {class: `fill ${r.colour}`});
    bar.style.width = `${100 * r.value / most}%`;
    bar.hidden = r.value === 0;
    return [h('span', {}, r.name), h('div', {class: 'track', 'aria-hidden': 'true'}, bar),
      h('span', {class: 'value'}, r.text)];
  }), ...(note ? [h('p', {class: 'whole soft'}, note)] : []));
}

function drawStages() {
  const from = first, to = samples[samples.length - 1], whole = between(from, to);
  const rows = STAGES.map((name, i) => {
    const d = between(from, to, name), mean = d.n ? d.sum / d.n : 0;
    return {name, value: mean, colour: `s${i}`, text: d.n ? short(mean) : '–'};
  });
  bars('stages', rows, whole.n ? `${short(whole.sum / whole.n)} in all, mean of ${
    plural(whole.n, 'request', 'requests')}` : 'No requests yet.');
}

function drawTiles(stats) {
  const to = samples[samples.length - 1], from = samples[Math.max(0, samples.length - 1 - WINDOW)];
  const now = between(from, to), ever = between(null, to);
  const source = now.n > 0 ? now : ever, span = now.n > 0 ? `last ${WINDOW} s` : 'since the start';
  put('rate', digits(to === from ? ever.n / to.t : now.n / now.seconds), '/s');
  $('rate-note').textContent = `${count(ever.n)} so far`;
  for (const [id, q] of [['p50', 0.5], ['p99', 0.99]]) {
    put(id, ...(source.n ? scaled(quantile(source, q), SECONDS, digits) : ['–']));
    $(`${id}-note`).textContent = source.n ? span : 'no requests yet';
  }
  const sum = name => stats.models.reduce((n, m) => n + m[name], 0), lookups = sum('lookups');
  put('unknown', lookups ? percent(sum('unknown') / lookups) : '–');
  $('unknown-note').textContent = `of ${plural(lookups, 'lookup', 'lookups')}`;
}

function offerSeries(sample) {
  const there = new Set([...$('which').options].map(o => o.value));
  for (const name of sample.series.keys())
    if (!there.has(name)) $('which').append(h('option', {value: name}, name.replace('topk', 'top-k')));
}

function draw() {
  if (samples.length < 2) return;
  const all = steps();
  drawLatency(all);
  drawThroughput(all);
  drawDistribution();
  drawStages();
}
