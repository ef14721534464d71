// Makes the calls of tests/serving/told.py with @segment/analytics-node. Arguments: the address, and who it is about.
const { Analytics } = require("@segment/analytics-node");
const [address, user, visitor, longAgo] = process.argv.slice(2);
const client = new Analytics({ writeKey: "nba_test", host: address });
const errors = [];
client.on("error", (error) => errors.push(String(error.code || error)));
client.identify({
  userId: user,
  traits: {
    email: "ana@example.com", firstName: "Ana", lastName: "Meier", company: { name: "Acme", employees: 120 },
  },
});
client.track({
  userId: user, event: "Product Added", timestamp: new Date(longAgo),
  properties: {
    productId: "prime-100mg", revenue: 9.5, currency: "chf", topic: "pumps", colours: ["red", "blue"],
    size: { width: 2 },
  },
});
client.track({ anonymousId: visitor, event: "Email Opened", properties: { subject: "Grüße 🎉" } });
client.page({
  userId: user, anonymousId: visitor, category: "Docs", name: "Pricing", properties: { url: "https://ex.com/pumps" },
});
client.screen({ userId: user, category: "Home", name: "Main", properties: { w: 1 } });
client.group({ userId: user, groupId: "acct-77", traits: { name: "Acme", plan: "enterprise" } });
client.alias({ previousId: visitor, userId: user });
client.track({ userId: "42", event: "Numeric Id" });
client.closeAndFlush({ timeout: 60000 }).then(() => console.log(JSON.stringify({ errors })));
