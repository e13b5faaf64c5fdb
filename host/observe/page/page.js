/* What does not change from second to second, the form, and the loop that keeps all up to date. */

function state(kind, text) {
  $('state').dataset.state = kind;
  $('state').textContent = text;
}

function facts(id, rows) {
  $(id).replaceChildren(...rows.filter(([, value]) => value !== undefined && value !== '').flatMap(
    ([name, value]) => [h('dt', {}, name), h('dd', {}, String(value))]));
}

function drawSizes(m) {
  const b = m.bytes;
  if (!b) return;
  const embeddings = b.rows + b.mapping, factor = b.uncompressed / embeddings;
  $('smaller').textContent = factor >= 1 ? `${digits(factor)} times smaller` : 'Size';
  bars('sizes', [
    {name: 'a row an id, f32', value: b.uncompressed, colour: 'whole-table', text: bytes(b.uncompressed)},
    {name: 'this model', value: embeddings, colour: 's0', text: bytes(embeddings)},
  ], `${bytes(b.rows)} of rows and ${bytes(b.mapping)} of mapping. Keys, weights and histories included, serving takes ${
    bytes(b.serving)}; the file has ${bytes(m.file_bytes)}.`);
}

function groupName(i) {
  const least = i ? 2 ** (i - 1) : 0, most = i ? 2 ** i - 1 : 0;
  return least === most ? `${least} id${least === 1 ? '' : 's'}` : `${count(least)} to ${count(most)}`;
}

function drawCollisions(m) {
  $('collisions').replaceChildren();
  for (const space of m.spaces || []) {
    const c = space.collisions;
    if (!c) continue;
    const id = `collisions-${space.name}`;
    $('collisions').append(h('div', {class: 'card'},
      h('h3', {}, `Collisions of ${space.name} ids`,
        h('span', {class: 'soft'}, `${count(space.ids)} ids on ${plural(c.rows_used, 'row', 'rows')}`)),
      h('div', {id, class: 'bars'})));
    bars(id, c.rows_by_ids.map((n, i) => ({name: groupName(i), value: n, colour: 's0', text: plural(n, 'row', 'rows')}))
      .filter((r, i) => i > 0 || r.value > 0),
    `${digits(c.mean)} ids a row on average, ${count(c.max)} at the most.`);
  }
}

function drawModel(m) {
  const sizes = [`${count(m.items)} items`, m.users && `${count(m.users)} users`, `${count(m.rows)} rows of ${m.dim}`];
  document.title = `${m.name} · collide`;
  $('name').textContent = m.name;
  $('headline').textContent = sizes.filter(x => x).join(', ');
  $('version').textContent = `collide ${m.version}`;
  drawSizes(m);
  facts('facts', [
    ['items', `${count(m.items)} (${m.item_ids})`], ['users', m.users ? `${count(m.users)} (${m.user_ids})` : 'none'],
    ['features', Object.keys(m.features).join(', ')], ['rows', `${count(m.rows)} × ${m.dim}, ${m.precision}`],
    ['scaled by', m.scaling === 'none' ? '' : m.scaling],
    ['mapping', `${m.mapping}, ${plural(m.lookups, 'row', 'rows')} an id`], ['pooling', m.pooling]]);
  facts('provenance', Object.entries(m.provenance).map(([name, value]) => [name.replaceAll('_', ' '), value]));
  facts('device', [['device', m.device], ['platform', m.platform], ['devices', m.devices], ['engine', m.engine],
    ['kernels', `from ${m.kernels}, form ${m.form}`],
    ['tables', `${bytes(m.tables.bytes)}, ${bytes(m.tables.in_place_bytes)} of them read from the file itself`],
    ['vectors of users', m.user_vector_bytes ? `${bytes(m.user_vector_bytes)}, summed up once` : '']]);
  drawCollisions(m);
}

function prepareForm(m) {
  if (m.users && m.user_ids.startsWith('dense')) $('user').value = '1';
  if (m.item_ids.startsWith('dense')) $('items').value = '1, 2, 3, 4, 5';
  $('features').replaceChildren(...Object.keys(m.features).map(name =>
    h('label', {}, name, h('input', {'data-feature': name, autocomplete: 'off'}))));
}

function table(id, head, rows, textColumns) {
  const cell = (tag, value, i) => h(tag, i < textColumns ? {class: 'text'} : {}, value);
  $(id).replaceChildren(h('thead', {}, h('tr', {}, ...head.map((v, i) => cell('th', v, i)))),
    h('tbody', {}, ...rows.map(row => h('tr', {}, ...row.map((v, i) => cell('td', v, i))))));
}

function drawModels(models) {
  table('models', ['model', 'version', 'state', 'requests', 'lookups', 'unknown', 'memory', 'swaps'], models.map(m =>
    [m.name, m.version ? String(m.version) : '–', m.reason || m.state.toLowerCase(),
      ...[m.requests, m.lookups, m.unknown].map(count), bytes(m.resident_bytes), count(m.swaps)]), 3);
}

function drawSlow(slow) {
  const rows = slow.requests.slice(0, 12);
  $('slow-note').textContent = `${rows.length ? 'The latest' : 'None'} that took longer than ${short(slow.slow_us)}.`;
  $('slow-card').hidden = rows.length === 0;
  table('slow', ['when', 'what', 'total', ...STAGES], rows.map(r =>
    [new Date(r.time).toLocaleTimeString(), r.path ? `${r.method} ${r.path} ${r.status}` : `${r.requests} by ${r.transport}`,
      short(r.total_us), ...STAGES.map(stage => short(r[`${stage}_us`]))]), 2);
}

/* The form. */

const operation = () => document.querySelector('[name=operation]:checked').value;

/* Ids that JSON's numbers hold go as numbers, others as texts. */
const idOf = text => (/^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text);
const idsOf = text => text.split(/[\s,]+/).filter(t => t).map(idOf);

function requestBody() {
  const body = {}, user = $('user').value.trim(), history = idsOf($('history').value), features = {};
  if (user) body.user = idOf(user);
  if (history.length) body.history = history;
  for (const input of document.querySelectorAll('[data-feature]'))
    if (input.value.trim()) features[input.dataset.feature] = idsOf(input.value);
  if (Object.keys(features).length) body.features = features;
  if (operation() === 'score') return {...body, items: idsOf($('items').value)};
  return {...body, k: Number($('k').value), ...($('seen').checked ? {exclude_seen: true} : {})};
}

/* A bar to the right of the middle, or to the left of it; without negative scores, from the left. */
function scoreBar(score, most, has_minus) {
  const bar = h('div', {class: `fill ${score < 0 ? 's1 minus' : 's0 plus'}`});
  bar.style.width = `${100 * Math.abs(score) / most}%`;
  return h('div', {class: has_minus ? 'half' : '', 'aria-hidden': 'true'}, bar);
}

function drawScores(items, scores) {
  const most = Math.max(...scores.map(Math.abs), 1e-12), has_minus = scores.some(x => x < 0);
  $('scores').replaceChildren(
    h('thead', {}, h('tr', {}, h('th', {class: 'text'}, 'item'), h('th', {}, 'score'), h('th', {}, ''))),
    h('tbody', {}, ...items.map((item, i) => h('tr', {}, h('td', {class: 'text'}, String(item)),
      h('td', {}, scores[i] === null ? '–' : scores[i].toPrecision(5).replace('-', '−')),
      h('td', {class: 'chart'}, scoreBar(scores[i], most, has_minus))))));
}

async function send() {
  const path = address(operation()), asked = requestBody(), body = JSON.stringify(asked), began = performance.now();
  let line, failed = true;
  $('scores').replaceChildren();
  try {
    const response = await ask(path, {method: 'POST', headers: {'Content-Type': 'application/json'}, body});
    const answer = await response.json(), took = performance.now() - began;
    failed = !response.ok;
    line = failed ? `${response.status}: ${answer.error.message}`
      : `${plural(answer.scores.length, 'score', 'scores')}, ${plural(answer.unknown, 'unknown id', 'unknown ids')
      }; ${short(1000 * took)} as this browser saw it`;
    if (!failed) drawScores(answer.items || asked.items, answer.scores);
  } catch (error) {
    line = `No answer: ${error.message}`;
  }
  $('answer').hidden = false;
  $('answer').classList.toggle('bad', failed);
  $('answer-line').textContent = line;
  $('curl').textContent = `curl ${location.origin}${path} --json '${body.replaceAll("'", "'\\''")}'`;
}

/* #user=3&items=1,2,3 fills in the form and sends it. */
function sendFromAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (wanted.size === 0) return;
  for (const id of ['user', 'history', 'items', 'k']) if (wanted.has(id)) $(id).value = wanted.get(id);
  $('seen').checked = wanted.has('seen');
  document.querySelector(`[value=${wanted.has('k') ? 'topk' : 'score'}]`).checked = true;
  $('try').dataset.operation = operation();
  send();
}

/* The loop. */

/* Of several models, the chosen one; else the first. */
const address = what => ($('model').value ? `/v1/models/${encodeURIComponent($('model').value)}${what ? `/${what}` : ''}`
  : `/v1/${what || 'model'}`);

function offerModels(models) {
  const names = new Set(models.map(m => m.name)), there = [...$('model').options].map(o => o.value);
  $('choice').hidden = names.size < 2;
  if (names.size > 1 && [...names].join('\n') !== there.join('\n'))
    $('model').replaceChildren(...[...names].map(name => h('option', {}, name)));
}

/* Another version may have taken the place of the one that is shown, or another model been chosen. */
async function showModel(models) {
  offerModels(models);
  const now = models.find(m => m.served && (m.name === $('model').value || !$('model').value));
  const name = now ? `${now.name} ${now.version}` : '';
  if (model && name === served) return;
  const before = model;
  model = await askJson(address(''));
  served = name;
  drawModel(model);
  if (!before || before.name !== model.name) prepareForm(model);
  if (!before) sendFromAddress();
}

function takeStats(stats) {
  edges = stats.edges_us;
  const sample = sampleOf(stats);
  if (samples.length && sample.t < samples[samples.length - 1].t) samples.length = 0, first = null;
  samples.push(sample);
  if (samples.length > KEPT + 1) samples.shift();
  first = first || sample;
  offerSeries(sample);
  state('good', `ready for ${age(stats.age_s)}`);
  drawTiles(stats);
  drawModels(stats.models);
  draw();
}

/* A server may keep this for its admins. */
async function lookAtSlow() {
  const response = await ask('/debug/slow');
  $('slow-section').hidden = !response.ok;
  if (response.ok) drawSlow(await response.json());
}

async function look() {
  try {
    const stats = await askJson('/v1/stats');
    await showModel(stats.models);
    takeStats(stats);
    if (ticks++ % 5 === 0) await lookAtSlow();
  } catch (error) {
    state(error.status === 503 ? 'wait' : 'bad', {401: 'needs a key', 503: 'loading its model'}[error.status] || 'no answer');
  }
}

function everySecond() {
  if (!document.hidden) look();
}

$('try').dataset.operation = operation();
$('try').addEventListener('change', () => { $('try').dataset.operation = operation(); });
$('try').addEventListener('submit', event => { event.preventDefault(); send(); });
$('key-form').addEventListener('submit', event => {
  event.preventDefault();
  key = $('key').value;
  $('key-form').hidden = true;
  look();
});
$('which').addEventListener('change', draw);
$('model').addEventListener('change', look);
addEventListener('resize', draw);
addEventListener('hashchange', sendFromAddress);
look();
setInterval(everySecond, 1000);
