// Alur's own script, ES5 so that it runs on Chromium 64. Every page also works without it.
(function () {
  'use strict';
  var root = document.documentElement;
  var LOST = 'Koneksi terputus, mencoba lagi';
  var REFUSED = 'Daftar tidak dapat diperbarui. Muat ulang halaman ini.';
  root.classList.add('js');

  function on(name, handler, target) { (target || document).addEventListener(name, handler); }
  function all(selector, within) { return [].slice.call((within || document).querySelectorAll(selector)); }
  function closest(node, selector) { return node && node.closest ? node.closest(selector) : null; }
  function now() { return window.performance.now(); }
  function two(n) { return (n < 10 ? '0' : '') + n; }

  // htmx requests carry the CSRF token.
  on('htmx:configRequest', function (event) {
    var meta = document.querySelector('meta[name="csrf-token"]');
    if (meta) { event.detail.headers['X-CSRFToken'] = meta.content; }
  });

  // Polling: <div id data-poll="5" hx-get hx-trigger="poll" hx-swap="outerHTML" hx-sync="this:drop">.
  // htmx has no backoff and its trigger filters need eval, so the timer is ours.
  var polls = {};
  var pressedAt = 0;
  var startedAt = now();

  function plan(id, seconds) {
    clearTimeout(polls[id].timer);
    polls[id].timer = setTimeout(function () { poll(id); }, seconds * 1000);
  }
  function poll(id) {
    var element = document.getElementById(id);
    if (!element) { delete polls[id]; return; }
    polls[id].due = document.hidden;
    if (document.hidden) { return; }
    plan(id, 60); // should no answer ever be reported
    window.htmx.trigger(element, 'poll');
  }
  function startPolls() {
    all('[data-poll][id]').forEach(function (element) {
      var base = +element.getAttribute('data-poll') || 5;
      if (polls[element.id] || !window.htmx) { return; }
      polls[element.id] = { base: base, fails: 0 };
      plan(element.id, base * (0.8 + Math.random() * 0.4));
    });
  }
  function say(text) {
    all('[data-poll-status]').forEach(function (line) {
      if (line.textContent !== text) { line.textContent = text; }
    });
  }
  on('htmx:afterRequest', function (event) {
    // After an outerHTML swap the event comes from an ancestor: only requestConfig knows who asked.
    var config = event.detail.requestConfig;
    var state = config && config.elt && polls[config.elt.id];
    if (!state) { return; }
    var xhr = event.detail.xhr;
    var ok = xhr.status >= 200 && xhr.status < 300;
    state.fails = ok ? 0 : state.fails + 1;
    if (ok) {
      // The server's clock and zone; the computer's own may be wrong.
      all('[data-poll-stamp]').forEach(function (stamp) {
        var s = (+stamp.getAttribute('data-poll-stamp') + Math.round((now() - startedAt) / 1000)) % 86400;
        stamp.textContent = 'per ' + [s / 3600, s / 60 % 60, s % 60].map(Math.floor).map(two).join('.');
      });
    }
    say(ok ? '' : xhr.status >= 400 && xhr.status < 500 && xhr.status !== 429 ? REFUSED : LOST);
    var wait = Math.min(60, state.base * Math.pow(2, state.fails)) * (0.8 + Math.random() * 0.4);
    var asked = xhr.status ? parseInt(xhr.getResponseHeader('Retry-After'), 10) : 0;
    plan(config.elt.id, Math.max(wait, asked || 0));
  });
  on('visibilitychange', function () {
    Object.keys(polls).forEach(function (id) {
      if (!document.hidden && polls[id].due) { poll(id); }
    });
  });

  // A swap must not take away what somebody is doing: focus, scroll, an open menu, half-typed text,
  // or a button that is pressed at this very moment (then the swap waits for the next poll).
  var kept = null;
  function press() { pressedAt = now(); }
  function release() { pressedAt = 0; }
  on('mousedown', press); on('touchstart', press);
  on('mouseup', release); on('touchend', release); on('touchcancel', release);

  on('htmx:beforeSwap', function (event) {
    var config = event.detail.requestConfig;
    var element = config && config.elt;
    if (!element || !polls[element.id] || !event.detail.shouldSwap) { return; }
    if (pressedAt && now() - pressedAt < 3000) { event.detail.shouldSwap = false; return; }
    var active = document.activeElement;
    kept = {
      id: element.id, x: window.pageXOffset, y: window.pageYOffset,
      focus: active && element.contains(active) ? active.id : '',
      caret: active && active.selectionStart,
      open: all('details[open][id]', element).map(function (node) { return node.id; }),
      typed: all('input[id], textarea[id], select[id]', element).filter(function (node) {
        var option = node.tagName === 'SELECT' && node.options[node.selectedIndex];
        return node.type !== 'hidden' && (option ? !option.defaultSelected : node.value !== node.defaultValue);
      })
    };
  });
  on('htmx:afterSwap', function (event) {
    var config = event.detail.requestConfig;
    if (!kept || !config || config.elt.id !== kept.id) { return; }
    var was = kept;
    kept = null;
    was.open.forEach(function (id) {
      var node = document.getElementById(id);
      if (node) { node.open = true; }
    });
    was.typed.forEach(function (old) {
      var node = document.getElementById(old.id);
      if (node) { node.value = old.value; }
    });
    var focus = was.focus && document.getElementById(was.focus);
    if (focus) {
      focus.focus({ preventScroll: true });
      if (was.caret && focus.setSelectionRange) { focus.setSelectionRange(was.caret, was.caret); }
    }
    window.scrollTo(was.x, was.y);
  });

  // What is ticked while a search is on its way stays.
  var ticks = [];
  on('htmx:beforeSwap', function () { ticks = all('[id$=-options] input'); });
  on('htmx:afterSwap', function () {
    ticks.forEach(function (old) {
      var list = document.getElementById(old.name + '-options');
      var same = all('input', list).filter(function (node) { return node.value === old.value; })[0];
      if (same) { same.checked = old.checked; }
      if (!same && old.checked) { list.insertBefore(old.parentNode, closest(all('input:not(:checked)', list)[0], 'label')); }
    });
  });

  // Waiting minutes go on between polls, from the server's clock and the time since it was read.
  function tick() {
    all('[data-now]').forEach(function (list) {
      if (!list.alurReadAt) { list.alurReadAt = now(); }
      var clock = +list.getAttribute('data-now') + (now() - list.alurReadAt) / 1000;
      var warn = +list.getAttribute('data-warn-min') || Infinity;
      var late = +list.getAttribute('data-late-min') || Infinity;
      all('time[data-since]', list).forEach(function (time) {
        var minutes = Math.max(0, Math.floor((clock - time.getAttribute('data-since')) / 60));
        var text = minutes + ' menit';
        if (time.textContent !== text) { time.textContent = text; }
        if (time.classList.contains('minutes')) {
          time.className = 'minutes band-' + (minutes >= late ? 'late' : minutes >= warn ? 'warn' : 'ok');
        }
      });
    });
  }

  // The back button after logout must not show a patient that the browser kept in memory.
  on('pagehide', function () {
    if (root.classList.contains('private')) { root.classList.add('away'); }
  }, window);
  on('pageshow', function (event) {
    if (!event.persisted) { root.classList.remove('away'); return; }
    if (root.classList.contains('private')) { window.location.reload(); }
  }, window);

  // A scanner ends with Enter: go on to the next field, do not send the form.
  on('keydown', function (event) {
    var field = event.target;
    if (event.keyCode !== 13 || !field.form || !field.hasAttribute('data-enter-next')) { return; }
    event.preventDefault();
    var fields = [].slice.call(field.form.elements).filter(function (node) {
      return node === field || (/^(INPUT|SELECT|TEXTAREA)$/.test(node.tagName) && node.type !== 'hidden' &&
        node.type !== 'submit' && !node.disabled && node.getClientRects().length);
    });
    var next = fields[fields.indexOf(field) + 1];
    if (next) { next.focus(); }
  });

  // The bar at the foot of a long form must not hide the field that Tab has come to.
  on('focusin', function (event) {
    var bar = document.querySelector('form > .actions');
    if (!bar || pressedAt || bar.contains(event.target)) { return; }
    if (event.target.getBoundingClientRect().bottom > bar.getBoundingClientRect().top) { event.target.scrollIntoView({ block: 'center' }); }
  });

  // One press, one request. The button goes dead after the browser has read its name and value.
  on('submit', function (event) {
    var form = event.target;
    if (!form.hasAttribute('data-once')) { return; }
    var buttons = [].slice.call(form.elements).filter(function (node) { return node.type === 'submit' && !node.disabled; });
    function dead(value) { buttons.forEach(function (node) { node.disabled = value; }); }
    setTimeout(function () { if (!event.defaultPrevented) { dead(true); } }, 0);
    setTimeout(function () { dead(false); }, 8000);
  });

  // Fields that only some answers need: data-show-when="no_nik_reason=BAYI,ASING". One with an error stays.
  function valueOf(name) {
    var value = '';
    [].slice.call(document.getElementsByName(name)).forEach(function (node) {
      if (!/^(radio|checkbox)$/.test(node.type) || node.checked) { value = node.value; }
    });
    return value;
  }
  function showFields() {
    all('[data-show-when]').forEach(function (block) {
      var rule = block.getAttribute('data-show-when').split('=');
      block.hidden = rule[1].split(',').indexOf(valueOf(rule[0])) < 0 && !block.querySelector('[aria-invalid]');
    });
  }
  on('change', showFields);

  // A proposal that the clerk accepts: data-fill='{"birth_date":"17-08-1990","sex":"P"}'.
  function fill(name, value) {
    [].slice.call(document.getElementsByName(name)).forEach(function (node) {
      if (node.type === 'radio' || node.type === 'checkbox') {
        if (node.value !== value) { return; }
        node.checked = true;
      } else {
        node.value = value;
      }
      ['input', 'change'].forEach(function (type) { node.dispatchEvent(new Event(type, { bubbles: true })); });
    });
  }
  function shutMenus(target) {
    all('.menu[open]').forEach(function (menu) { if (!menu.contains(target)) { menu.open = false; } });
  }
  on('keydown', function (event) { if (event.keyCode === 27) { shutMenus(null); } });
  on('click', function (event) {
    shutMenus(event.target);
    var button = closest(event.target, '[data-fill], [data-print], .error-summary a');
    if (!button) { return; }
    if (button.hasAttribute('data-fill')) {
      var values = JSON.parse(button.getAttribute('data-fill'));
      event.preventDefault();
      Object.keys(values).forEach(function (name) { fill(name, values[name]); });
    } else if (button.hasAttribute('data-print')) {
      window.print();
    } else {
      var field = document.getElementById(button.getAttribute('href').slice(1));
      var shut = closest(field, 'details');
      if (shut) { shut.open = true; }
      if (field) { event.preventDefault(); field.focus(); field.scrollIntoView({ block: 'center' }); }
    }
  });

  function start() {
    startPolls();
    tick();
    showFields();
  }
  on('htmx:load', function (event) {
    start();
    // On a slow line somebody types before the scripts are there; what they missed happens now.
    if (event.target !== document.body) { return; }
    all('input, textarea').forEach(function (field) {
      if (field.value !== field.defaultValue) { field.dispatchEvent(new Event('change', { bubbles: true })); }
    });
  });
  start();
  setInterval(tick, 20000);
  var first = document.querySelector('[data-autofocus]');
  if (first) { first.focus(); }
})();
