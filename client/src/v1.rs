//! The messages of the protocol `seatwise.v1`, as they go over the wire.

pub use seatwise_proto::v1::{
    Assignment, Batch, BatchFrame, BatchProgress, BatchResult, BatchStarted, BatchSummary,
    CatalogueChange, Change, CreateCustomerRequest, CreateUserRequest, Customer, DeleteUserRequest,
    DeleteUserResponse, ErrorReason, ExecuteBatchRequest, GetBatchRequest, GetCustomerRequest,
    GetLicenseRequest, GetProductRequest, GetUserRequest, HeldProduct, ImportNote, ImportOutcome,
    ImportSummary, ImportedUser, License, ListAssignmentsRequest, ListAssignmentsResponse,
    ListBatchResultsRequest, ListBatchResultsResponse, ListBatchesRequest, ListBatchesResponse,
    ListCustomersRequest, ListCustomersResponse, ListLicensesRequest, ListLicensesResponse,
    ListProductsRequest, ListProductsResponse, ListRulesRequest, ListRulesResponse,
    ListUsersRequest, ListUsersResponse, PlanChoice, PlanRef, PlanSet, Product, ProductAssignment,
    ProductPlan, ProductRef, Reason, ReasonCode, Rule, SetSeatsRequest, UpdateCustomerRequest,
    UpdateProductRequest, UpdateUserRequest, User, UserChange, UserFilter, UserOrder, batch,
    batch_frame, batch_result, catalogue_change, import_outcome, plan_choice, product, rule, user,
};
