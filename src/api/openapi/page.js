// Shows the document and lets it be tried. No validator: the default one sends the document to another server.
SwaggerUIBundle({ url: 'openapi.json', dom_id: '#api', deepLinking: true, persistAuthorization: false, validatorUrl: null })
