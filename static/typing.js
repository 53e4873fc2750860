// What is typed about a patient is kept on the server, and nowhere on this computer. ES5.
(function () {
  'use strict';
  var on = window.alur.on;
  var closest = window.alur.closest;
  var LOST = 'Sambungan terputus. Jangan tutup halaman ini: tulisan dikirim begitu tersambung.';
  var STRANGER = '<a href="/masuk" target="_blank" rel="noopener">Masuk lagi</a> dengan akun Anda di tab lain; tulisan masih di sini.';
  var REFUSED = 'Tidak dapat disimpan otomatis. Tekan Simpan sementara.';

  var form = document.querySelector('form[data-keep]');
  if (!form) { return; }
  var triedAt = now();
  var reachedAt = triedAt; // the server
  var step = 0;
  var fails = 0;
  var timer = 0;
  var isBusy = false;
  var isLeaving = false;
  var isSafe = false;
  var pressed = null; // the button of a save
  var held = null; // the one that waits until the server has the text
  var untouched = form.cloneNode(true);
  untouched.reset(); // somebody may have typed before this script was there
  var kept = text(untouched); // what the server has
  if (form.hasAttribute('data-unsent')) { kept = ''; }

  function now() { return window.performance.now() / 1000; }
  function text(of) { return new URLSearchParams(new FormData(of || form)).toString(); }
  function address(query) { return form.getAttribute('data-keep-at') + '&' + query; }
  function say(line, trouble) {
    form.querySelector('[data-keep-state]').textContent = line;
    window.alur.say(trouble);
  }
  function plan(seconds) {
    clearTimeout(timer);
    timer = setTimeout(send, seconds * 1000);
  }
  function ask(method, query, body, done) {
    var xhr = new XMLHttpRequest();
    xhr.open(method, address(query));
    xhr.timeout = 15000;
    xhr.setRequestHeader('HX-Request', 'true'); // without a session 401, and no page
    xhr.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
    xhr.onloadend = function () { done(xhr.status, xhr.responseText); };
    xhr.send(body);
  }

  function send() {
    var body = text();
    if (isBusy || (body === kept && !held)) { return; }
    clearTimeout(timer);
    timer = 0;
    isBusy = true;
    triedAt = now();
    step += 1;
    ask('POST', 'ke=' + step, body, function (status, clock) {
      isBusy = false;
      if (status === 201) {
        say((fails ? 'Tersambung lagi, terkirim ' : 'Tersimpan otomatis ') + clock + ', hanya Anda yang melihatnya', '');
        kept = body;
        fails = 0;
        reachedAt = now();
        if (text() !== kept) { plan(3); }
        save();
      } else if (status === 400 || status === 401 || status === 403) {
        renew();
      } else {
        fail(status);
      }
    });
  }
  function fail(status, isStranger) {
    var isDown = !status || status > 501;
    fails += 1;
    say('', isDown ? LOST : isStranger ? STRANGER : REFUSED);
    if (isDown || isStranger) { plan(Math.min(30, Math.pow(2, fails))); } else { save(); } // its answer says why
  }
  // After a new log-in of the same person the open form needs the new session's token.
  function renew() {
    var field = form.querySelector('[name=csrf_token]');
    ask('GET', 'penulis=' + form.getAttribute('data-keep'), null, function (status, token) {
      if (status !== 200 || token === field.value) { fail(status, status !== 200); return; }
      field.value = document.querySelector('meta[name=csrf-token]').content = token;
      send();
    });
  }
  function save() {
    var button = held;
    held = null;
    isSafe = true;
    if (button) { button.click(); }
    isSafe = false;
  }

  function typed() {
    held = null;
    if (isBusy || (fails && timer)) { return; }
    if (now() - triedAt < 15) { plan(3); } else if (!timer) { plan(0.3); }
  }
  on('input', typed, form);
  on('change', typed, form);
  on('online', send, window);
  on('visibilitychange', send);
  on('click', function (event) { pressed = closest(event.target, 'button'); }, form);
  on('submit', function (event) {
    if (isSafe || (text() === kept && now() - reachedAt < 5)) {
      isLeaving = true;
      setTimeout(function () { isLeaving = false; }, 8000);
      return;
    }
    event.preventDefault();
    held = pressed || form.querySelector('button');
    if (!fails) { say('Mengirim …', ''); }
    send();
  }, form);
  on('beforeunload', function (event) {
    // What `pagehide` hands over is still delivered, if the line was there just now.
    if (isLeaving || text() === kept || (!fails && navigator.onLine && now() - reachedAt < 20)) { return; }
    event.preventDefault();
    event.returnValue = LOST;
  }, window);
  on('pagehide', function () {
    if (!isLeaving && text() !== kept) { navigator.sendBeacon(address('ke=' + (step + 1)), new FormData(form)); }
  }, window);
  if (text() !== kept) { plan(1); }
})();
