// On every page. Ours is ES5 so that it runs on Chromium 64, and every page also works without it.
// Some pages add a second file, which builds on window.alur.
(function () {
  'use strict';
  var root = document.documentElement;
  root.classList.add('js');

  function on(name, handler, target) { (target || document).addEventListener(name, handler); }
  function all(selector, within) { return [].slice.call((within || document).querySelectorAll(selector)); }
  function closest(node, selector) { return node && node.closest ? node.closest(selector) : null; }
  // In the line at the foot of every page, which must not lie on the buttons. Said once, not again and again.
  function say(html) {
    var line = document.querySelector('[data-poll-status]');
    if (line.innerHTML !== html) { line.innerHTML = html; }
    document.body.style.paddingBottom = line.offsetHeight + 'px';
  }
  window.alur = { on: on, all: all, closest: closest, say: say };

  // htmx starts when the page is ready. Eval and a style of its own: the CSP refuses both. No page
  // with patients stays in the browser.
  var config = window.htmx ? window.htmx.config : {};
  config.allowEval = config.includeIndicatorStyles = false;
  config.historyCacheSize = 0;
  config.selfRequestsOnly = true;
  config.timeout = 15000; // ms
  config.defaultSwapStyle = 'outerHTML';

  // htmx requests carry the CSRF token.
  on('htmx:configRequest', function (event) {
    var meta = document.querySelector('meta[name="csrf-token"]');
    if (meta) { event.detail.headers['X-CSRFToken'] = meta.content; }
  });

  // A locked screen must not carry off a form that somebody is filling in. What was typed stays; when
  // it is sent, logging in comes first and the form goes on (see access.refuse_stranger).
  on('htmx:beforeOnLoad', function (event) {
    var node = event.detail.elt;
    if (event.detail.xhr.status !== 401 || node.hasAttribute('data-poll') || !closest(node, 'form')) { return; }
    event.preventDefault();
    event.detail.target.innerHTML = '<p class="warn warn-warning" role="alert"><b>Layar terkunci.</b> Isian tetap di sini: selesaikan dan kirim, lalu masuk lagi.</p>';
  });

  // The back button after logout must not show a patient that the browser kept in memory.
  on('pagehide', function () {
    if (root.classList.contains('private')) { root.classList.add('away'); }
  }, window);
  on('pageshow', function (event) {
    if (!event.persisted) { root.classList.remove('away'); return; }
    if (root.classList.contains('private')) { window.location.reload(); }
  }, window);

  // One press, one request. The button goes dead after the browser has read its name and value.
  on('submit', function (event) {
    var form = event.target;
    if (!form.hasAttribute('data-once')) { return; }
    var buttons = [].slice.call(form.elements).filter(function (node) { return node.type === 'submit' && !node.disabled; });
    function dead(value) { buttons.forEach(function (node) { node.disabled = value; }); }
    setTimeout(function () { if (!event.defaultPrevented) { dead(true); } }, 0);
    setTimeout(function () { dead(false); }, 8000);
  });

  // Fields that only some answers need: data-show-when="sex=P|pregnant=*", where * is any answer.
  // One with an error stays, and one that is being typed into.
  function valueOf(name) {
    var value = '';
    all('[name="' + name + '"]').forEach(function (node) {
      if (!/^(radio|checkbox)$/.test(node.type) || node.checked) { value = node.value; }
    });
    return value;
  }
  function showFields() {
    all('[data-show-when]').forEach(function (block) {
      var isNeeded = block.getAttribute('data-show-when').split('|').some(function (text) {
        var rule = text.split('='), value = valueOf(rule[0]);
        return rule[1] === '*' ? value : rule[1].split(',').indexOf(value) >= 0;
      });
      block.hidden = !isNeeded && !block.querySelector('[aria-invalid]') && !block.contains(document.activeElement);
    });
  }
  on('change', showFields);

  function shutMenus(target) {
    all('.menu[open]').forEach(function (menu) { if (!menu.contains(target)) { menu.open = false; } });
  }
  on('keydown', function (event) {
    var field = event.target;
    if (event.keyCode === 27) { shutMenus(null); }
    // A scanner ends with Enter, and who types numbers too: on to the next box, do not send the form.
    if (event.keyCode !== 13 || field.type !== 'text' || !closest(field, '[data-enter-next]')) { return; }
    event.preventDefault();
    var fields = all('[type=text], select, textarea', field.form);
    fields.slice(fields.indexOf(field) + 1).some(function (node) {
      node.focus();
      // A hidden one does not take it.
      return document.activeElement === node;
    });
  });
  on('click', function (event) {
    shutMenus(event.target);
    var button = closest(event.target, '[data-print], .error-summary a');
    if (!button) { return; }
    if (button.hasAttribute('data-print')) {
      window.print();
    } else {
      var field = document.getElementById(button.getAttribute('href').slice(1));
      var shut = closest(field, 'details');
      if (shut) { shut.open = true; }
      if (field && field.tabIndex < 0) { field = field.querySelector('[aria-invalid=true]') || field; }
      if (field) { event.preventDefault(); field.focus(); field.scrollIntoView({ block: 'center' }); }
    }
  });

  on('htmx:load', function (event) {
    showFields();
    // On a slow line somebody types before the scripts are there; what they missed happens now.
    if (event.target !== document.body) { return; }
    all('input, textarea').forEach(function (field) {
      if (field.value !== field.defaultValue) { htmx.trigger(field, 'change'); htmx.trigger(field, 'missed'); }
    });
  });
  showFields();
  // A menu that is wider than a phone stands at its current page.
  all('.tabs [aria-current], .bar [aria-current]').forEach(function (node) {
    var bar = closest(node, '.tabs, nav');
    bar.scrollLeft = node.offsetLeft - bar.offsetLeft;
  });
  var first = document.querySelector('[data-autofocus]');
  if (first) { first.focus(); }
  // The page is read from its top, though Enter saves.
  first = document.querySelector('[data-still]');
  if (first) { first.focus({ preventScroll: true }); window.scrollTo(0, 0); }
})();
