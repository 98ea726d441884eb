// Shows the document that the page names. Credentials that are typed in are forgotten with the page.
const place = document.getElementById("swagger-ui");

// What is answered as JSON and as a page is wanted as JSON, unless a media type was chosen.
function preferJson(request) {
  if (request.headers.accept === "*/*") {
    request.headers.accept = "application/json, */*;q=0.1";
  }
  return request;
}

SwaggerUIBundle({
  url: place.dataset.url,
  domNode: place,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  requestInterceptor: preferJson,
  validatorUrl: null,
});
