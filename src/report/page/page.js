// What the page does beyond being read: a slider of thresholds, tables that sort, and all details open on paper.
'use strict';

// The same digits as the page's other numbers (numbers.cpp).
function digits(value, low, high) {
  const all = [value, low, high].filter((x) => x !== undefined);
  let places = 3;
  for (const x of all) {
    if (x > 0) places = Math.max(places, Math.ceil(-Math.log10(x) - 1e-9) + 1);
    if (x < 1) places = Math.max(places, Math.ceil(-Math.log10(1 - x) - 1e-9));
  }
  if (high > low) places = Math.min(places, Math.ceil(-Math.log10(high - low) - 1e-9) + 1);
  return all.map((x) => x.toFixed(Math.min(Math.max(places, 0), 6)));
}

function grouped(count) {
  return count < 10000 ? String(count) : String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

// Wilson's interval of a share.
function wilson(part, whole) {
  const z = 1.959963984540054, share = part / whole, middle = share + z * z / (2 * whole);
  const around = z * Math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole));
  const scale = 1 + z * z / whole;
  return [part === 0 ? 0 : (middle - around) / scale, part === whole ? 1 : (middle + around) / scale];
}

function slide(box) {
  const steps = JSON.parse(box.dataset.steps);
  const positives = Number(box.dataset.positives), negatives = Number(box.dataset.negatives);
  const start = Number(box.dataset.start), intervals = box.dataset.intervals === 'yes';
  const range = box.querySelector('input'), output = box.querySelector('output');
  const back = box.querySelector('button');
  const counts = box.querySelectorAll('[data-count]'), shares = box.querySelectorAll('[data-share]');
  const says = box.querySelector('[data-threshold]');

  const show = (cell, part, whole) => {
    cell.replaceChildren();
    if (whole === 0) {
      cell.append('undefined');
      return 'undefined';
    }
    const [value, low, high] = digits(part / whole, ...(intervals ? wilson(part, whole) : []));
    cell.append(value);
    if (intervals) {
      const under = document.createElement('span');
      under.className = 'under';
      under.textContent = `${low} to ${high}`;
      cell.append(under);
    }
    return value;
  };
  const update = () => {
    const [threshold, hits, alarms] = steps[steps.length - 1 - Number(range.value)];
    const right = negatives - alarms, missed = positives - hits;
    const at = digits(threshold)[0];
    says.textContent = at;
    [hits, missed, alarms, right].forEach((count, i) => { counts[i].textContent = grouped(count); });
    const sensitivity = show(shares[0], hits, positives);
    const specificity = show(shares[1], right, negatives);
    show(shares[2], hits, hits + alarms);
    show(shares[3], right, right + missed);
    range.setAttribute('aria-valuetext', `p at least ${at}`);
    output.textContent = `Sensitivity ${sensitivity}, specificity ${specificity}`;
    back.disabled = Number(range.value) === start;
  };
  range.addEventListener('input', update);
  back.addEventListener('click', () => {
    range.value = start;
    update();
    range.focus();
  });
  range.value = start;
  update();
  box.hidden = false;
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const texts = new Intl.Collator('en', {numeric: true});
  const key = (row, column) => {
    const cell = row.cells[column];
    if (column === 0) return cell.textContent;
    return cell && cell.dataset.sort !== undefined ? Number(cell.dataset.sort) : undefined;
  };
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const falls = head.getAttribute('aria-sort') === 'ascending';
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', falls ? 'descending' : 'ascending');
      const rows = [...body.rows];
      rows.sort((one, other) => {
        const a = key(one, column), b = key(other, column);
        if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
        const order = typeof a === 'string' ? texts.compare(a, b) : a - b;
        return falls ? -order : order;
      });
      body.append(...rows);
    });
  });
}

document.querySelectorAll('.slider').forEach(slide);
document.querySelectorAll('table.sortable').forEach(makeSortable);

const opened = [];
addEventListener('beforeprint', () => {
  document.querySelectorAll('details:not([open])').forEach((one) => {
    one.open = true;
    opened.push(one);
  });
});
addEventListener('afterprint', () => opened.splice(0).forEach((one) => { one.open = false; }));
