// Pages on which somebody types what is kept nowhere before it is sent (where it is: typing.js). ES5.
(function () {
  'use strict';
  var on = window.alur.on;

  function sayAtFoot(text) {
    window.alur.say(text);
    var bar = document.querySelector('form > .actions');
    if (bar) { bar.style.bottom = document.body.style.paddingBottom; }
  }
  window.alur.sayAtFoot = sayAtFoot;

  // The browser's own page about a server that is away would take a form's place, and all that was typed
  // with it. So a button is held until the server has answered, and then pressed again.
  var AWAY = 'Sambungan terputus. Isian tetap di sini; tekan lagi bila tersambung.';
  var pressed = null;
  var isAsking = false;
  var isThere = false;
  on('click', function (event) { pressed = window.alur.closest(event.target, 'button'); });
  on('submit', function (event) {
    var form = event.target;
    var button = pressed;
    if (isThere || !button || !form.hasAttribute('data-once')) { return; }
    event.preventDefault();
    if (isAsking) { return; }
    isAsking = true;
    var xhr = new XMLHttpRequest();
    xhr.open('GET', '/healthz');
    xhr.timeout = 5000;
    xhr.onloadend = function () {
      isAsking = false;
      isThere = xhr.status && xhr.status < 502;
      sayAtFoot(isThere ? '' : AWAY);
      if (!isThere) { return; }
      // A newer answer may have taken a proposal's button away.
      if (!form.contains(button)) { button.hidden = true; form.appendChild(button); }
      button.click();
      isThere = false;
    };
    xhr.send();
  });
})();
