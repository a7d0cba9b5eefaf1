using Orleans.Joblib.Silo;

return await SiloCommand.InvokeAsync(args).ConfigureAwait(false);
