// Shows the document that the page names. Credentials that are typed in are forgotten with the page.
const place = document.getElementById("swagger-ui");
SwaggerUIBundle({
  url: place.dataset.url,
  domNode: place,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
});
