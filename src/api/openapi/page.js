// The document to read and try. No validator is asked: that one is somebody else's server.
SwaggerUIBundle({ url: 'openapi.json', dom_id: '#api', deepLinking: true, persistAuthorization: false, validatorUrl: null })
