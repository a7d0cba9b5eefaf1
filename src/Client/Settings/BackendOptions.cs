namespace Orleans.Joblib;

/// <summary>Settings that only one backend knows. A backend derives its own record and says in its documentation which.</summary>
/// <remarks>joblib 1.6: the <c>**backend_kwargs</c> of <c>Parallel</c> and <c>parallel_config</c>. Immutable, so that equal options mean the same workers.</remarks>
public abstract record BackendOptions;
