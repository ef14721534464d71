// Makes the calls of tests/serving/told.py with @rudderstack/rudder-sdk-node. Arguments: the address, and who it is about.
const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
const [address, user, visitor, longAgo] = process.argv.slice(2);
const client = new RudderAnalytics("nba_test", { dataPlaneUrl: address, flushInterval: 500 });
const errors = [];
const done = (error) => error && errors.push(String(error));
client.identify({
  userId: user,
  traits: {
    email: "ana@example.com", firstName: "Ana", lastName: "Meier", company: { name: "Acme", employees: 120 },
  },
}, done);
client.track({
  userId: user, event: "Product Added", timestamp: new Date(longAgo),
  properties: {
    productId: "prime-100mg", revenue: 9.5, currency: "chf", topic: "pumps", colours: ["red", "blue"],
    size: { width: 2 },
  },
}, done);
client.track({ anonymousId: visitor, event: "Email Opened", properties: { subject: "Grüße 🎉" } }, done);
client.page({
  userId: user, anonymousId: visitor, category: "Docs", name: "Pricing", properties: { url: "https://ex.com/pumps" },
}, done);
client.screen({ userId: user, category: "Home", name: "Main", properties: { w: 1 } }, done);
client.group({ userId: user, groupId: "acct-77", traits: { name: "Acme", plan: "enterprise" } }, done);
client.alias({ previousId: visitor, userId: user }, done);
client.track({ userId: "42", event: "Numeric Id" }, done);
setTimeout(() => client.flush(() => setTimeout(() => {
  console.log(JSON.stringify({ errors }));
  process.exit(0);
}, 500)), Number(process.env.CLIENT_WAIT_MS || 3000));
