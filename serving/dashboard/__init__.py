"""Pages for people who call, sell and steer, made on the server."""
