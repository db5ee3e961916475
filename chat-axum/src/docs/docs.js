'use strict';
// Reads openapi.json beside this page. Text goes in as text nodes only, so nothing in the document can become markup.
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const el = (tag, props, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
};
const soft = text => el('span', { className: 'soft' }, text);
let doc;

const resolve = schema => (schema?.$ref ? schema.$ref.slice(2).split('/').reduce((at, key) => at?.[key], doc) : schema);
const nameOf = schema => schema?.$ref?.split('/').pop();

function typeOf(schema) {
  if (!schema) return 'anything';
  if (schema.$ref) return nameOf(schema);
  const parts = schema.oneOf ?? schema.anyOf;
  if (parts) return parts.map(typeOf).join(' | ');
  if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(' | ');
  if (schema.type === 'array') return `[${typeOf(schema.items)}]`;
  const type = [].concat(schema.type ?? (schema.properties ? 'object' : 'anything')).join(' | ');
  return schema.format ? `${type} (${schema.format})` : type;
}

/** Objects inside a schema that have rows of their own. */
function inner(schema) {
  const here = resolve(schema);
  if (!here) return null;
  if (here.properties || here.allOf) return here;
  if (here.type === 'array' || [].concat(here.type).includes('array')) return inner(here.items);
  const parts = (here.oneOf ?? here.anyOf ?? []).filter(part => part.type !== 'null');
  return parts.length === 1 ? inner(parts[0]) : null;
}

function rows(schema, path) {
  const table = el('table');
  const fill = part => {
    for (const piece of part.allOf ?? []) fill(resolve(piece));
    for (const [name, property] of Object.entries(part.properties ?? {})) {
      const required = part.required?.includes(name);
      const about = property.description ?? resolve(property)?.description ?? '';
      const cell = el('td', {}, el('code', {}, typeOf(property)), ' ', soft(about));
      const below = inner(property);
      if (below && !path.includes(below)) {
        const more = el('details', {}, el('summary', { className: 'soft' }, 'fields'));
        more.addEventListener('toggle', () => { if (more.children.length === 1) more.append(rows(below, [...path, below])); });
        cell.append(more);
      }
      table.append(el('tr', {}, el('td', {}, el('code', {}, name), required ? '' : soft(' optional')), cell));
    }
  };
  fill(schema);
  return table;
}

function body(title, content) {
  const [type, media] = Object.entries(content ?? {})[0] ?? [];
  if (!media) return null;
  const below = inner(media.schema);
  const box = el('div', {}, el('h4', {}, title), el('code', {}, typeOf(media.schema)), ' ', soft(type));
  if (below) box.append(rows(below, [below]));
  return box;
}

function parameters(list) {
  if (!list?.length) return null;
  const table = el('table', {}, ...list.map(raw => {
    const p = resolve(raw);
    const name = el('td', {}, el('code', {}, p.name), p.required ? '' : soft(' optional'));
    return el('tr', {}, name, el('td', {}, el('code', {}, typeOf(p.schema)), ' ', soft(`${p.in}. ${p.description ?? ''}`)));
  }));
  return el('div', {}, el('h4', {}, 'Parameters'), table);
}

function operation(path, method, op) {
  const id = `${method}${path}`;
  const box = el('section', { id }, el('h3', {}, el('span', { className: 'method' }, method), el('code', {}, path)));
  box.append(el('p', {}, [op.summary, op.description].filter(Boolean).join(' ')));
  const parts = [parameters(op.parameters), op.requestBody && body('Body', op.requestBody.content)];
  const refusals = [];
  for (const [status, raw] of Object.entries(op.responses ?? {})) {
    const response = resolve(raw);
    if (raw.$ref) { refusals.push(status); continue; }
    parts.push(body(`${status}: ${response.description}`, response.content) ?? el('h4', {}, `${status}: ${response.description}`));
  }
  if (refusals.length) parts.push(el('p', { className: 'soft' }, `Refusals (Problem): ${refusals.join(', ')}`));
  box.append(...parts.filter(Boolean));
  return box;
}

async function show() {
  const nav = document.getElementById('nav');
  const main = document.getElementById('main');
  try {
    doc = await (await fetch('openapi.json', { credentials: 'omit' })).json();
  } catch {
    main.replaceChildren(el('p', {}, 'The document could not be loaded.'));
    return;
  }
  const byTag = new Map();
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const method of METHODS.filter(name => item[name])) {
      const tag = item[method].tags?.[0] ?? 'other';
      byTag.set(tag, [...(byTag.get(tag) ?? []), [path, method, item[method]]]);
    }
  }
  main.replaceChildren(el('h1', {}, doc.info.title), el('p', {}, doc.info.description ?? ''),
    el('p', { className: 'soft' }, `Version ${doc.info.version}, at ${doc.servers?.[0]?.url ?? '/'}`));
  for (const [tag, operations] of byTag) {
    nav.append(el('h2', {}, tag));
    main.append(el('h2', {}, tag));
    for (const [path, method, op] of operations) {
      nav.append(el('a', { href: `#${method}${path}` }, `${method.toUpperCase()} ${path}`));
      main.append(operation(path, method, op));
    }
  }
  const problem = doc.components?.schemas?.Problem;
  if (problem) main.append(el('section', {}, el('h2', {}, 'Problem'), rows(problem, [problem])));
}

show();
