"use strict";
const http = require("http");

const server = http.createServer((request, response) => {
  response.end("hello from node\n");
});
server.listen({ fd: 3 });
