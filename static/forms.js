// The counter's pages: answers to what is being typed, proposals, a bar at a form's foot; after held.js. ES5.
(function () {
  'use strict';
  var on = window.alur.on;
  var UNANSWERED = 'Usulan dan hasil pencarian belum diperbarui; isian tetap di sini.';

  // The last answer must not be taken for one to what was typed since. It is only out of sight: what is
  // ticked in it is still sent. Who got no answer asks again by itself; an abort makes room for a newer question.
  var unanswered = [];
  var timer = 0;
  function heard(event, isLost) {
    var asker = event.detail.requestConfig.elt;
    event.detail.target.hidden = !!isLost;
    unanswered = unanswered.filter(function (node) { return node !== asker; });
    if (isLost) { unanswered.push(asker); }
    if (isLost || !unanswered.length) { window.alur.sayAtFoot(isLost); }
  }
  ['sendError', 'timeout', 'responseError'].forEach(function (name) {
    on('htmx:' + name, function (event) {
      var isRefused = /^4/.test(event.detail.xhr.status);
      heard(event, (isRefused ? '' : 'Koneksi terputus. ') + UNANSWERED);
      clearTimeout(timer);
      timer = setTimeout(function () {
        unanswered.forEach(function (node) { window.htmx.trigger(node, 'missed'); });
      }, isRefused ? 60000 : 4000);
    });
  });
  on('htmx:afterRequest', function (event) {
    if (event.detail.xhr.status && !event.detail.failed) { heard(event, ''); }
  });

  // The bar at the foot of a long form must not hide the field that Tab has come to.
  var isPressed = false;
  ['mousedown', 'touchstart'].forEach(function (name) { on(name, function () { isPressed = true; }); });
  ['mouseup', 'touchend', 'touchcancel'].forEach(function (name) { on(name, function () { isPressed = false; }); });
  on('focusin', function (event) {
    var bar = document.querySelector('form > .actions');
    if (!bar || isPressed || bar.contains(event.target)) { return; }
    if (event.target.getBoundingClientRect().bottom > bar.getBoundingClientRect().top) { event.target.scrollIntoView({ block: 'center' }); }
  });

  // Who comes to change one field sees its label too: a browser puts the field itself at the top.
  on('load', function () {
    var field = document.activeElement;
    if (field.id && window.location.hash === '#' + field.id) { field.scrollIntoView({ block: 'center' }); }
  }, window);

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
  on('click', function (event) {
    var button = window.alur.closest(event.target, '[data-fill]');
    if (!button) { return; }
    var values = JSON.parse(button.getAttribute('data-fill'));
    event.preventDefault();
    Object.keys(values).forEach(function (name) { fill(name, values[name]); });
    // The button is gone with the next answer; the form goes on at its first empty box.
    var empty = [].filter.call(document.querySelectorAll('.main-col input[type=text]'), function (field) {
      return !field.value && field.offsetParent && !(field.name in values);
    })[0];
    if (empty) { empty.focus(); }
  });

  // Who is quicker than the proposals has passed the place where they come: Tab Enter works all the same.
  // Not once a key or the mouse is at the list itself: it may be open, and would close under the hand.
  var passed = false;
  var isTab = false;
  ['keydown', 'mousedown'].forEach(function (name) {
    on(name, function (event) {
      isTab = event.key === 'Tab';
      passed = false;
    });
  });
  on('focusin', function (event) {
    passed = isTab && event.target.id === 'f-poli' && !document.querySelector('#saran-isi button');
  });
  on('htmx:afterSettle', function (event) {
    var room = document.activeElement;
    var first = event.target.id === 'saran-isi' && document.querySelector('#saran-isi button');
    if (first && passed && room.id === 'f-poli' && !room.value) { first.focus(); }
  });

  // What was typed here is kept nowhere before it is sent and found right.
  var form = document.querySelector('form.with-side');
  if (form) {
    var isTyped = !!form.querySelector('.has-error');
    on('input', function () { isTyped = true; }, form);
    on('submit', function (event) { isTyped = isTyped && event.defaultPrevented; });
    on('click', function (event) { isTyped = isTyped && event.target.tagName !== 'A'; }, form.querySelector('.actions'));
    on('beforeunload', function (event) {
      if (isTyped) { event.preventDefault(); event.returnValue = ''; }
    }, window);
  }
})();
