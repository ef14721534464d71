// Makes calls at an even pace with one of the libraries for Node, as it is without any settings.
// Arguments: the library, the address, the key, the event's name, how many, and the milliseconds between two.
const [library, address, key, event, count, pause] = process.argv.slice(2);
const errors = [];

function segment() {
  const { Analytics } = require("@segment/analytics-node");
  const client = new Analytics({ writeKey: key, host: address });
  client.on("error", (error) => errors.push(String(error.code || error)));
  return { track: (call) => client.track(call), end: () => client.closeAndFlush() };
}

function rudder() {
  const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
  const client = new RudderAnalytics(key, { dataPlaneUrl: address });
  const done = (error) => error && errors.push(String(error));
  // What is on its way when a flush is asked for is no part of it.
  const rest = () => new Promise((end) => setTimeout(end, 15000));
  return { track: (call) => client.track(call, done), end: () => new Promise((end) => client.flush(end)).then(rest) };
}

const client = library === "segment" ? segment() : rudder();
let n = 0;
const timer = setInterval(() => {
  client.track({ userId: "crm:4711", event, properties: { n } });
  n += 1;
  if (n < Number(count)) return;
  clearInterval(timer);
  client.end().then(() => {
    console.log(JSON.stringify({ errors }));
    process.exit(0);
  });
}, Number(pause));
