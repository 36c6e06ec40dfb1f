//! An [`Endpoint`] as an OpenAPI operation.

#![expect(
    clippy::indexing_slicing,
    reason = "by key into JSON objects made here: reading an absent key gives null, writing one inserts it"
)]

use serde_json::{Map, Value, json};

use crate::api::endpoint::{
    Access, Endpoint, OperationDescription, Parameter, RequestDescription, ResponseBody, ResponseDescription,
};
use crate::api::error::ErrorBody;
use crate::api_error::{ApiError, Code};
use crate::json_schema::Schemas;

/// The operation object; the types that it refers to are added to `schemas`.
pub(super) fn operation(endpoint: &Endpoint, schemas: &mut Schemas) -> Value {
    let OperationDescription {
        tag,
        access,
        serves_guests,
        id,
        summary,
        is_deprecated,
        parameters,
        request,
        response,
        errors,
    } = &endpoint.operation;
    let mut operation = json!({
        "tags": [tag.name()],
        "operationId": id,
        "summary": summary,
        "security": security(*access, *serves_guests),
        "parameters": parameters.iter().flat_map(|one| self::parameters(one, schemas)).collect::<Vec<_>>(),
    });
    if *is_deprecated {
        operation["deprecated"] = json!(true);
    }
    if let Some(request) = request {
        operation["requestBody"] = request_body(request, schemas);
    }
    let mut responses: Map<String, Value> =
        errors.iter().map(|(status, errors)| (status.to_string(), error_response(*status, errors))).collect();
    if let Some(response) = response {
        responses.insert(response.status.to_string(), success_response(response, schemas));
    }
    operation["responses"] = Value::Object(responses);
    operation
}

fn security(access: Access, serves_guests: bool) -> Value {
    let mut schemes = match access {
        Access::Public => vec![],
        Access::Customer | Access::Agent => vec![json!({ "token": [] })],
        Access::Guest => vec![json!({}), json!({ "token": [] })],
    };
    if serves_guests {
        schemes.push(json!({ "guestToken": [] }));
    }
    Value::Array(schemes)
}

fn parameters(parameter: &Parameter, schemas: &mut Schemas) -> Vec<Value> {
    match parameter {
        Parameter::Header { name, description } => {
            vec![json!({ "name": name, "in": "header", "description": description, "schema": { "type": "string" } })]
        }
        Parameter::Path { name, description } => vec![json!({
            "name": name, "in": "path", "required": true, "description": description, "schema": { "type": "string" },
        })],
        Parameter::Query { keys, except } => keys(schemas)
            .into_iter()
            .filter(|key| Some(key.name.as_str()) != *except)
            .map(|key| json!({ "name": key.name, "in": "query", "required": key.is_required, "schema": key.schema }))
            .collect(),
    }
}

fn request_body(request: &RequestDescription, schemas: &mut Schemas) -> Value {
    let RequestDescription { schema, example, is_required } = request;
    let content = json!({ "schema": schema(schemas), "examples": { "one": { "value": example } } });
    json!({ "required": is_required, "content": { "application/json": content } })
}

fn success_response(response: &ResponseDescription, schemas: &mut Schemas) -> Value {
    let data = (response.schema)(schemas);
    let (messages, examples) = match &response.body {
        ResponseBody::Bare { description } => return answer(description, &data, Map::new()),
        ResponseBody::Enveloped { messages, examples } => (messages, examples),
    };
    let schema = json!({
        "type": "object",
        "properties": {
            "success": { "const": true }, "message": { "type": "string", "enum": messages }, "data": data,
        },
        "required": ["success", "message", "data"],
        "additionalProperties": false,
    });
    let examples = examples
        .iter()
        .map(|(name, data)| {
            let value = json!({ "success": true, "message": messages.first(), "data": data });
            ((*name).to_owned(), json!({ "value": value }))
        })
        .collect();
    answer(&messages.join(", "), &schema, examples)
}

/// The answer of one error status: the shape of all errors, narrowed to the codes that the endpoint has.
fn error_response(status: u16, errors: &[ApiError]) -> Value {
    let mut codes: Vec<&str> = errors.iter().map(|error| error.code.as_str()).collect();
    codes.dedup();
    let schema = json!({
        "allOf": [{ "$ref": "#/components/schemas/Error" }],
        "properties": { "statusCode": { "const": status }, "code": { "enum": codes } },
    });
    let mut examples = Map::new();
    for error in errors {
        let name = format!("{}{}", error.code.as_str().to_lowercase(), examples.len() + 1);
        examples.insert(name, json!({ "summary": error.message, "value": ErrorBody::new(error) }));
    }
    let description = errors.iter().map(|error| error.message.as_ref()).collect::<Vec<_>>().join("\n\n");
    let mut response = answer(&description, &schema, examples);
    if errors.iter().any(|error| error.code.is_retryable()) {
        response["headers"]["retry-after"] = json!({ "$ref": "#/components/headers/RetryAfter" });
    }
    if status == Code::Unauthorized.status() {
        response["headers"]["www-authenticate"] = json!({ "$ref": "#/components/headers/Challenge" });
    }
    response
}

fn answer(description: &str, schema: &Value, examples: Map<String, Value>) -> Value {
    let mut content = json!({ "schema": schema });
    if !examples.is_empty() {
        content["examples"] = Value::Object(examples);
    }
    json!({
        "description": description,
        "headers": { "x-request-id": { "$ref": "#/components/headers/RequestId" } },
        "content": { "application/json": content },
    })
}
