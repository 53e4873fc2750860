// Lists that keep themselves fresh: polling, swaps that take nothing away, waiting minutes. ES5.
(function () {
  'use strict';
  var LOST = 'Koneksi terputus, mencoba lagi';
  var REFUSED = 'Daftar tidak dapat diperbarui. Muat ulang halaman ini.';

  var on = window.alur.on;
  var all = window.alur.all;
  function now() { return window.performance.now(); }
  function two(n) { return (n < 10 ? '0' : '') + n; }

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
    window.alur.say(ok ? '' : xhr.status >= 400 && xhr.status < 500 && xhr.status !== 429 ? REFUSED : LOST);
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
  function does(node) {
    var where = node.getAttribute('formaction') || node.getAttribute('href');
    return where && where + (node.id || node.value + node.textContent);
  }
  function idOf(node) { return node.getAttribute('data-critical'); }
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
    active = active && element.contains(active) ? active : document.createElement('i');
    var row = active.closest('[data-entry]');
    kept = {
      id: element.id, x: window.pageXOffset, y: window.pageYOffset,
      focus: active.id, does: does(active), entry: row && row.getAttribute('data-entry'),
      caret: active.selectionStart,
      alerts: all('[data-critical]').map(idOf),
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
    // Said once, not at each change of the list.
    all('[data-critical]').forEach(function (node) {
      if (was.alerts.indexOf(idOf(node)) < 0) { node.setAttribute('role', 'alert'); }
    });
    was.typed.forEach(function (old) {
      var node = document.getElementById(old.id);
      if (node) { node.value = old.value; }
    });
    // Never on what would do something else by now: then on the patient's row.
    var focus = was.focus && document.getElementById(was.focus);
    if (was.does && !(focus && does(focus) === was.does)) {
      focus = all('[formaction], [href]').filter(function (node) { return does(node) === was.does; })[0];
      if (!focus && was.entry) {
        focus = document.querySelector('[data-entry="' + was.entry + '"]');
        if (focus) { focus.tabIndex = -1; }
      }
    }
    if (focus) {
      focus.focus({ preventScroll: true });
      if (was.caret && focus.setSelectionRange) { focus.setSelectionRange(was.caret, was.caret); }
    }
    window.scrollTo(was.x, was.y);
  });

  // Waiting minutes go on between polls: those that the server wrote, and the time since they were read.
  function tick() {
    all('[data-late-min]').forEach(function (list) {
      var warn = +list.getAttribute('data-warn-min');
      var late = +list.getAttribute('data-late-min');
      all('time[data-seconds]', list).forEach(function (time) {
        if (isNaN(time.alurSince)) {
          time.alurSince = now() / 1000 - parseInt(time.textContent, 10) * 60 - time.getAttribute('data-seconds');
        }
        var minutes = Math.floor(Math.round(now() / 1000 - time.alurSince) / 60);
        var text = minutes + ' menit';
        if (time.textContent !== text) { time.textContent = text; }
        time.className = 'minutes band-' + (minutes >= late ? 'late' : minutes >= warn ? 'warn' : 'ok');
      });
    });
  }

  function start() {
    startPolls();
    tick();
  }
  on('htmx:load', start);
  start();
  setInterval(tick, 20000);
})();
